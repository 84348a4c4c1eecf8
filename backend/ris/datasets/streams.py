"""Read the rows of a large file as they come: JSON Lines, a list in JSON, a table, or Parquet.

Memory does not grow with the file. One form is held whole while it is read: an object in JSON that is not on
a line of its own, such as Label Studio's `{"tasks": [...]}`.
"""

import itertools
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ris.datasets.answers import Row, drop_repeated_tasks
from ris.datasets.delimited import ColumnNames, read_separated
from ris.datasets.entry import Defect, parse_json
from ris.datasets.objects import is_json, read_objects
from ris.datasets.rows import normalise_row, read_image_and_expression
from ris.datasets.tables import is_pairs, read_pairs
from ris.datasets.text import iterate_lines, read_text
from ris.errors import DatasetError

_PARQUET_SIGNATURE = b"PAR1"
_ROWS_PER_READ = 256
_CHARACTERS_PER_READ = 2**20
_BETWEEN = " \t\r\n"


def stream_rows(
    path: Path, names: ColumnNames, encoding: str | None = None
) -> tuple[bool, Iterator[Row | Defect]]:
    """Return whether rows are objects, not lines of a table, and the rows and defects of a file.

    Of several answers to one task only the first is yielded.

    Args:
        path: the file.
        names: accepted names of the columns of a table.
        encoding: as for `read_text`.

    Raises:
        DatasetError: the file cannot be read, or is none of these formats.
    """
    if _is_parquet(path):
        return True, _read_parquet(path)
    lines = iterate_lines(path, encoding)
    first = list(itertools.islice(itertools.dropwhile(lambda line: not line.strip(), lines), 2))
    rows: Iterator[Row | Defect]
    has_objects = is_json("".join(first[:1]))
    if has_objects:
        rows = _read_json(path, encoding, first)
    elif is_pairs(first, names):
        rows = read_pairs(iterate_lines(path, encoding), path)
    else:
        rows = read_separated(iterate_lines(path, encoding), path.name, names)
    return has_objects, drop_repeated_tasks(
        rows, lambda row: read_image_and_expression(normalise_row(row), names)
    )


def _is_parquet(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(_PARQUET_SIGNATURE)) == _PARQUET_SIGNATURE
    except OSError:
        return False  # the reader of text says why


def _read_parquet(path: Path) -> Iterator[Row | Defect]:
    number = 0
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(_ROWS_PER_READ):
                for row in batch.to_pylist():
                    number += 1
                    cells = {name: value for name, value in row.items() if value is not None}
                    yield f"{path.name}, row {number}", parse_json(json.dumps(cells, default=str))
    except (pa.ArrowInvalid, OSError) as error:
        raise DatasetError(f"{path} is not Parquet that can be read: {error}") from error


def _read_json(path: Path, encoding: str | None, first: list[str]) -> Iterator[Row | Defect]:
    if first[0].lstrip().startswith("["):
        return _read_list(iterate_lines(path, encoding), path)
    if len(first) > 1 and _is_object(first[0]):
        return _read_json_lines(iterate_lines(path, encoding), path)
    return read_objects(read_text(path, encoding), path)


def _is_object(line: str) -> bool:
    try:
        return isinstance(parse_json(line), dict)
    except ValueError:
        return False


def _read_json_lines(lines: Iterable[str], path: Path) -> Iterator[Row | Defect]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            what = f"{path.name}, row {number}"
            try:
                one = parse_json(line)
            except ValueError:
                yield Defect(what, "it is not JSON")
            else:
                yield _check_object(what, one)


def _read_list(lines: Iterator[str], path: Path) -> Iterator[Row | Defect]:
    """Yield the items of a list, each parsed from a buffer that holds it and little more."""
    decoder = json.JSONDecoder(parse_constant=lambda name: None)
    text = _TextBuffer(lines)
    text.skip(1)
    number = 0
    try:
        while (mark := text.peek()) != "]":
            if number:
                if mark != ",":
                    raise DatasetError(f"{path} is not JSON: a comma or ] is missing after object {number}")
                text.skip(1)
                text.peek()
            number += 1
            yield _check_object(f"{path.name}, object {number}", text.parse(decoder))
        text.skip(1)
        if text.peek():
            raise DatasetError(f"{path} is not JSON: there is more text after its list")
    except json.JSONDecodeError as error:
        raise DatasetError(f"{path} is not JSON: object {number}: {error.msg}") from error
    except RecursionError as error:
        raise DatasetError(f"{path} is not JSON: it is nested too deeply") from error


class _TextBuffer:
    """The part of a text that is being parsed."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines, self._text, self._at = lines, "", 0
        self.peek()

    def peek(self) -> str:
        """Return the next character that is no space; "" at the end."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in _BETWEEN:
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._read_more(1):
                return ""

    def skip(self, count: int) -> None:
        """Go on by some characters."""
        self._at += count

    def parse(self, decoder: json.JSONDecoder) -> Any:
        """Return the value that begins here, and go on behind it."""
        while True:
            error: json.JSONDecodeError | None = None
            try:
                value, end = decoder.raw_decode(self._text, self._at)
            except json.JSONDecodeError as found:
                error, end = found, len(self._text)
            if end < len(self._text):  # a number at the end of the buffer may go on
                self._at = end
                return value
            # As much again as there is: parsing a large value anew costs twice its length in all.
            if not self._read_more(len(self._text) - self._at):
                if error is not None:
                    raise error
                self._at = end
                return value

    def _read_more(self, at_least: int) -> bool:
        parts, n_characters = [self._text[self._at :]], 0
        self._at = 0
        while n_characters < max(at_least, _CHARACTERS_PER_READ):
            line = next(self._lines, None)
            if line is None:
                break
            parts.append(line)
            n_characters += len(line)
        self._text = "".join(parts)
        return n_characters > 0


def _check_object(what: str, one: object) -> Row | Defect:
    return (what, one) if isinstance(one, dict) else Defect(what, "it must be an object")
