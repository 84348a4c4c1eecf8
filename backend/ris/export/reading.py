"""Read the files of an export item by item, so that memory does not grow."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import ijson

from ris.datasets.entry import to_id
from ris.errors import DatasetError
from ris.export.scratch import open_scratch

_CHUNK_BYTES = 2**20


def read_items(path: Path, prefix: str) -> Iterator[Any]:
    """Yield the values at a place of a JSON file.

    Args:
        path: the file.
        prefix: the place as ijson names it, such as "annotations.item".

    Raises:
        DatasetError: the file does not exist or is not JSON.
    """
    try:
        with path.open("rb") as file:
            yield from ijson.items(file, prefix, use_float=True, buf_size=_CHUNK_BYTES)
    except (OSError, ijson.JSONError, UnicodeDecodeError) as error:
        reason = str(error).split("\n")[0]  # ijson shows the place on further lines
        raise DatasetError(f"{path} cannot be read as JSON: {reason}") from error


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of a JSON Lines file.

    Raises:
        DatasetError: the file does not exist, or a line is not JSON.
    """
    try:
        with path.open(encoding="utf-8", newline="\n") as file:
            for line in file:
                yield json.loads(line)
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path} cannot be read: {error}") from error


def count_lines(path: Path) -> int:
    """Return the number of lines of a file.

    Raises:
        DatasetError: the file does not exist.
    """
    try:
        with path.open("rb") as file:
            return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(_CHUNK_BYTES), b""))
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error}") from error


def has_equal_bytes(one: Path, two: Path) -> bool:
    """Return whether two files have the same bytes.

    Raises:
        DatasetError: one of them does not exist.
    """
    try:
        with one.open("rb") as first, two.open("rb") as second:
            while (part := first.read(_CHUNK_BYTES)) == second.read(_CHUNK_BYTES):
                if not part:
                    return True
            return False
    except OSError as error:
        raise DatasetError(f"{error.filename} cannot be read: {error}") from error


def compute_file_digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hex.

    Raises:
        DatasetError: the file does not exist.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error}") from error


class RepeatedPairs:
    """The pairs of texts that were added more than once."""

    def __init__(self) -> None:
        self._scratch = open_scratch("CREATE TABLE pair (one TEXT, two TEXT, n INTEGER, UNIQUE (one, two));")

    def add(self, one: str, two: str) -> None:
        """Add a pair."""
        query = "INSERT INTO pair VALUES (?, ?, 1) ON CONFLICT (one, two) DO UPDATE SET n = n + 1"
        self._scratch.execute(query, (one, two))

    def has(self, one: str, two: str) -> bool:
        """Return whether a pair was added more than once."""
        row = self._scratch.execute("SELECT n FROM pair WHERE one = ? AND two = ?", (one, two)).fetchone()
        return row is not None and row[0] > 1


class StoredRecords:
    """The records of a list in a JSON file, by id: on disk, so that memory does not grow.

    Args:
        path: the file.
        prefix: the place of the list, as in `read_items`.
        name: name of the id field.
        noun: what a record is, for errors, such as "image".

    Raises:
        DatasetError: the file cannot be read, or two records have one id.
    """

    def __init__(self, path: Path, prefix: str, name: str, noun: str) -> None:
        self._scratch = open_scratch("CREATE TABLE record (id PRIMARY KEY, content TEXT) WITHOUT ROWID;")
        self._file, self._noun = path.name, noun
        for record in read_items(path, prefix):
            row = record.get(name), json.dumps(record)
            if not self._scratch.execute("INSERT OR IGNORE INTO record VALUES (?, ?)", row).rowcount:
                raise DatasetError(f"{path} has several {noun}s with the id {row[0]!r:.40}")

    def find(self, key: object) -> Mapping[str, Any]:
        """Return the record with an id.

        Raises:
            DatasetError: no record has this id.
        """
        row = self._scratch.execute("SELECT content FROM record WHERE id = ?", (to_id(key),)).fetchone()
        if row is None:
            raise DatasetError(f"{self._file} has no {self._noun} with its id")
        found: Mapping[str, Any] = json.loads(row[0])
        return found


class StoredAnswers:
    """The answers of a file by project and annotation, until each of them is taken."""

    def __init__(self) -> None:
        self._scratch = open_scratch(
            "CREATE TABLE answer (project TEXT, annotation INTEGER, result TEXT,"
            " UNIQUE (project, annotation));"
        )

    def add(self, project: str, annotation_id: int, result: Any) -> None:
        """Add an answer."""
        row = project, annotation_id, json.dumps(result)
        self._scratch.execute("INSERT OR REPLACE INTO answer VALUES (?, ?, ?)", row)

    def take(self, project: str, annotation_id: int) -> Any:
        """Remove an answer and return its result; None if there is none."""
        query = "DELETE FROM answer WHERE project = ? AND annotation = ? RETURNING result"
        row = self._scratch.execute(query, (project, annotation_id)).fetchone()
        return None if row is None else json.loads(row[0])

    def read_rest(self) -> Iterator[int]:
        """Yield the annotations whose answers were not taken."""
        for (number,) in self._scratch.execute("SELECT annotation FROM answer ORDER BY rowid"):
            yield number
