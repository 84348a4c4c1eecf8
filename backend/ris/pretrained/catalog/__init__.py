"""Presets, their sources, and the files of their networks."""
