"""Decode an image file as a browser shows it."""
