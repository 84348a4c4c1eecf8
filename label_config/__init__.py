"""Ready label configs; `read("tabs_brush.xml")` gives one."""

from importlib.resources import files


def read(name: str) -> str:
    """The XML of a label config of this folder."""
    return files(__name__).joinpath(name).read_text(encoding="utf-8")
