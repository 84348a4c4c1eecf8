"""Evaluate the methods on datasets in the layout of RefCOCO or PhraseCut."""
