"""Suggestions for a whole dataset, ahead of the annotators: stopped and gone on with anywhere."""
