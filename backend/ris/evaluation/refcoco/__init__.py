"""Evaluate the methods on datasets in RefCOCO's layout."""
