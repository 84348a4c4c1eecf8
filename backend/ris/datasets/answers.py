"""Rows of Label Studio's JSON-MIN and CSV exports: one row per answer, so several rows for one task."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Any

from ris.datasets.entry import Defect, to_id
from ris.errors import DatasetError

Row = tuple[str, Mapping[str, Any]]


def is_answer(row: Mapping[str, Any]) -> bool:
    """Return whether a row is an answer: whether it has the ids of a task and of an annotation."""
    return row.get("id") not in (None, "") and "annotation_id" in row


def drop_repeated_tasks(
    rows: Iterable[Row | Defect], content_of: Callable[[Mapping[str, Any]], Hashable]
) -> Iterator[Row | Defect]:
    """Yield the first row of each task, and every row that is not an answer.

    A later row of a task with other content becomes a defect.

    Args:
        rows: rows and defects.
        content_of: returns what all rows of a task must have in common. If it raises a DatasetError, the row
            is yielded.
    """
    seen: dict[int | str, Hashable] = {}
    for row in rows:
        if isinstance(row, Defect) or not is_answer(row[1]):
            yield row
            continue
        try:
            content = content_of(row[1])
        except DatasetError:
            yield row
            continue
        number = to_id(row[1]["id"])
        if number not in seen:
            seen[number] = content
            yield row
        elif seen[number] != content:
            yield Defect(row[0], "an earlier row has the same id, but another image or expression")
