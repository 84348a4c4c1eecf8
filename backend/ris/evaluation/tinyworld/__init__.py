"""Evaluate the embedded networks on drawn scenes."""
