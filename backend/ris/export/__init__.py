"""Export decisions to dataset formats, one module for each format.

No decision is dropped silently: what a format cannot represent is returned as an `Omission` with its reason.
"""
