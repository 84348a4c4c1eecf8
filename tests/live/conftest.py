"""One real Label Studio for all live tests."""
