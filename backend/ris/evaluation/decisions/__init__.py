"""Evaluate the methods on the annotators' decisions."""
