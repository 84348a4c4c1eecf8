"""Read JSON files of many objects: a list, Label Studio's `{"tasks": [...]}`, or JSON Lines.

The content decides which; the file extension does not matter.
"""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ris.datasets.entry import Defect, parse_json
from ris.errors import DatasetError


def is_json(text: str) -> bool:
    """Return whether a text looks like JSON: whether it begins with `[` or `{`."""
    return text.lstrip()[:1] in ("[", "{")


def read_objects(text: str, path: Path) -> Iterator[tuple[str, dict[str, Any]] | Defect]:
    """Yield each object as (its position, the object), or a defect.

    Args:
        text: the content of the file.
        path: the file, for positions and errors.

    Raises:
        DatasetError: the text is not JSON, or is JSON of another kind.
    """
    try:
        whole = parse_json(text)
    except ValueError as error:
        yield from _read_lines(text, path, error)
        return
    if isinstance(whole, dict):
        whole = _find_objects(whole, path)
    if not isinstance(whole, list):
        raise DatasetError(f"{path} must hold a list of objects or one object per line")
    for number, one in enumerate(whole, 1):
        what = f"{path.name}, object {number}"
        yield (what, one) if isinstance(one, dict) else Defect(what, "it must be an object")


def _find_objects(whole: dict[str, Any], path: Path) -> list[Any]:
    tasks = whole.get("tasks")
    if isinstance(tasks, list):
        return tasks
    if "annotations" in whole and "images" in whole:
        raise DatasetError(
            f"{path} is a COCO file, which has no expressions: give the folder in which it "
            "is instances.json, beside refs(...).json"
        )
    return [whole]


def _read_lines(text: str, path: Path, error: ValueError) -> Iterator[tuple[str, dict[str, Any]] | Defect]:
    """Read JSON Lines.

    A text counts as JSON Lines if its first line, or at least half of its lines, are objects, and it does not
    begin with `[`. So a truncated list or object is refused.
    """
    found: list[tuple[str, dict[str, Any]] | Defect] = []
    for number, line in enumerate(io.StringIO(text, newline=""), 1):
        if not line.strip():
            continue
        what = f"{path.name}, row {number}"
        try:
            one = parse_json(line)
            found.append((what, one) if isinstance(one, dict) else Defect(what, "it must be an object"))
        except ValueError:
            found.append(Defect(what, "it is not JSON"))
    is_good = [not isinstance(one, Defect) for one in found]
    if text.lstrip().startswith("[") or not (is_good[0] or 2 * sum(is_good) >= len(found)):
        raise DatasetError(f"{path} is not JSON: {error}") from error
    yield from found
