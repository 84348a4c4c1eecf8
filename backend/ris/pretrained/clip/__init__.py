"""CLIP, and its features of masked views."""
