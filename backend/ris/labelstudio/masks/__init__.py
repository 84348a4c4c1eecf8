"""Masks in the encodings of Label Studio: brush, bitmask, polygon, rectangle."""
