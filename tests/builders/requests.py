"""What Label Studio asks with."""

from ris.label_config import read

CONFIG = read("tabs_brush.xml")
