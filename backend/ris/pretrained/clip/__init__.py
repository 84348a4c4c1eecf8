"""CLIP through open_clip: image, text and masked-image features."""
