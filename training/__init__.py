"""Trainings of the embedded networks on drawn scenes. Not part of the wheel."""
