"""Networks that match an image with a text and show where: BLIP, ALBEF."""
