"""Networks that propose masks: SAM, SAM 2.1, Mask2Former."""
