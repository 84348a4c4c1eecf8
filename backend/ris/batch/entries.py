"""The tasks of a run as Label Studio's JSON, kept in a Parquet file: a file or a project is read once.

All later passes, for planning, for the file of predictions and for Label Studio, read this file again. A few
hundred tasks are in memory at a time.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

ENTRY_SCHEMA = pa.schema([("id", pa.int64()), ("task", pa.string())])
_ENTRIES_PER_WRITE = 500
_CHARACTERS_PER_WRITE = 16 * 2**20


def write_entries(path: Path, entries: Iterable[dict[str, Any]]) -> int:
    """Write tasks as they come; an earlier file is replaced.

    Args:
        path: of the file.
        entries: tasks of Label Studio. An "id" that is no whole number is kept in the JSON alone.

    Returns:
        The number of tasks.
    """
    n_entries = 0
    with pq.ParquetWriter(path, ENTRY_SCHEMA, compression="zstd") as writer:
        for rows in _split_entries(entries):
            writer.write_table(pa.Table.from_pylist(rows, ENTRY_SCHEMA))
            n_entries += len(rows)
    return n_entries


def read_entries(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the tasks of a file in order."""
    with pq.ParquetFile(path) as file:
        for number in range(file.num_row_groups):
            for text in file.read_row_group(number, columns=["task"])["task"].to_pylist():
                yield json.loads(text)


def _split_entries(entries: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    rows: list[dict[str, Any]] = []
    n_characters = 0
    for entry in entries:
        text = json.dumps(entry)  # ASCII alone: half an emoji is kept as its escape
        number = entry.get("id")
        rows.append({"id": number if _is_int64(number) else None, "task": text})
        n_characters += len(text)
        if len(rows) == _ENTRIES_PER_WRITE or n_characters > _CHARACTERS_PER_WRITE:
            yield rows
            rows, n_characters = [], 0
    if rows:
        yield rows


def _is_int64(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63
