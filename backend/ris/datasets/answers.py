"""Label Studio's JSON-MIN and CSV have a row an answer: several rows may be one task."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Any

from ris.datasets.entry import Defect, to_id
from ris.errors import DatasetError

Row = tuple[str, Mapping[str, Any]]


def is_answer(row: Mapping[str, Any]) -> bool:
    """Whether a row is an answer to a task: it has the id of both."""
    return row.get("id") not in (None, "") and "annotation_id" in row


def drop_repeated_tasks(
    rows: Iterable[Row | Defect], content_of: Callable[[Mapping[str, Any]], Hashable]
) -> Iterator[Row | Defect]:
    """Every task once: its first row. A later one that says something else of the task is a defect.

    Args:
        content_of: what all rows of a task have in common; where it raises DatasetError the row is passed on.
    """
    seen: dict[int | str, Hashable] = {}
    for one in rows:
        if isinstance(one, Defect) or not is_answer(one[1]):
            yield one
            continue
        try:
            content = content_of(one[1])
        except DatasetError:
            yield one
            continue
        number = to_id(one[1]["id"])
        if number not in seen:
            seen[number] = content
            yield one
        elif seen[number] != content:
            yield Defect(one[0], "a row before it has its id, and another image or other words")
