"""Presets, their sources, and the files of fetched networks."""
