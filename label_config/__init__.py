"""The shipped label configs."""

from importlib.resources import files


def read(name: str) -> str:
    """Read the XML of a label config of this folder, such as "tabs_brush.xml"."""
    return files(__name__).joinpath(name).read_text(encoding="utf-8")
