"""Requests of Label Studio."""

from ris.label_config import read

CONFIG = read("tabs_brush.xml")
