"""The field's datasets, read as their own readers read them: strictly, and nothing but files."""
