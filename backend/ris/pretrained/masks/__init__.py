"""Mask proposals and masks from clicks: SAM, SAM 2.1, Mask2Former."""
