"""Image-text matching networks whose cross-attention shows where: BLIP and ALBEF."""
