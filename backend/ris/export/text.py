"""Write JSON that every reader parses correctly, whatever characters the texts contain.

A file is written beside its place and moved there when it is whole: an export that fails leaves the file of
the export before. Lists are written item by item.
"""

import json
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import msgspec

# These are valid in JSON strings, but readers that split text into lines break at the first three, and UTF-8
# cannot encode lone surrogates. They occur only inside strings, so they can be escaped.
UNSAFE_CHARACTERS = re.compile("[\x85\u2028\u2029\ud800-\udfff]")
_ENCODER = json.JSONEncoder(ensure_ascii=False)
_UNFINISHED_SUFFIX = ".part"
_SPOOLED = "\0list"


@contextmanager
def open_replacing(path: Path) -> Iterator[IO[bytes]]:
    """Open a file that replaces `path` once it is written; missing folders are created."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + _UNFINISHED_SUFFIX)
    try:
        with unfinished.open("wb") as file:
            yield file
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def to_json(content: Any, *, indent: int | None = None) -> str:
    """Convert to JSON; `UNSAFE_CHARACTERS` are escaped, other non-ASCII characters are not."""
    text = _escape_unsafe(_ENCODER.encode(content))
    if indent is None:
        return text
    try:
        return msgspec.json.format(text, indent=indent)  # with the bytes of json.dumps, in half the time
    except msgspec.DecodeError:  # NaN, or half a character: Python's module takes both
        return _escape_unsafe(json.dumps(content, indent=indent, ensure_ascii=False))


def _escape_unsafe(text: str) -> str:
    if text.isascii():
        return text
    return UNSAFE_CHARACTERS.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def write_json(content: Any, path: Path, *, indent: int | None = None) -> None:
    """Write one JSON file."""
    with open_replacing(path) as file:
        file.write((to_json(content, indent=indent) + "\n").encode())


def write_lines(contents: Iterable[Any], path: Path) -> int:
    """Write one JSON Lines file, and return the number of its lines."""
    n_lines = 0
    with open_replacing(path) as file:
        for content in contents:
            file.write((to_json(content) + "\n").encode())
            n_lines += 1
    return n_lines


class JsonListWriter:
    """Writes a JSON list item by item, with the bytes that `to_json` gives for the whole list.

    Args:
        file: where to write.
        indent: as for `to_json`.
        depth: how many lists and objects are around the list.
    """

    def __init__(self, file: IO[bytes], *, indent: int | None = None, depth: int = 0) -> None:
        self._file, self._indent, self._n_items = file, indent, 0
        line = "" if indent is None else "\n" + " " * indent * (depth + 1)
        self._line, self._last_line = line, "" if indent is None else "\n" + " " * indent * depth

    def add(self, item: Any) -> None:
        """Write an item."""
        text = to_json(item, indent=self._indent)
        if self._line:
            text = text.replace("\n", self._line)  # strings have no line break: it is escaped
        separator = (", " if self._indent is None else ",") if self._n_items else "["
        self._file.write((separator + self._line + text).encode())
        self._n_items += 1

    def close(self) -> None:
        """Write the end of the list."""
        self._file.write((self._last_line + "]").encode() if self._n_items else b"[]")


@contextmanager
def open_json_list(path: Path, *, indent: int | None = None) -> Iterator[JsonListWriter]:
    """Open a JSON file that holds one list."""
    with open_replacing(path) as file:
        items = JsonListWriter(file, indent=indent)
        yield items
        items.close()
        file.write(b"\n")


class SpooledList(JsonListWriter):
    """A JSON list in a temporary file, so that several lists of an object can grow at a time.

    Args:
        folder: where the temporary file is.
        indent: as for `to_json`.
        depth: how many lists and objects are around the list.
    """

    def __init__(self, folder: Path, *, indent: int | None = None, depth: int = 0) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._spool = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 (kept open)
        super().__init__(self._spool, indent=indent, depth=depth)

    def copy_to(self, file: IO[bytes]) -> None:
        """Append the list, which is closed, to a file."""
        self._spool.seek(0)
        shutil.copyfileobj(self._spool, file, 2**20)


def write_json_with_lists(content: Any, path: Path, *, indent: int | None = None) -> None:
    """Write one JSON file as `write_json` does; lists of the content may be `SpooledList`s."""
    spooled: list[SpooledList] = []

    def mark(value: SpooledList) -> str:
        value.close()
        spooled.append(value)
        return _SPOOLED

    text = _escape_unsafe(json.dumps(content, indent=indent, ensure_ascii=False, default=mark))
    head, *tails = text.split(json.dumps(_SPOOLED))
    with open_replacing(path) as file:
        file.write(head.encode())
        for value, tail in zip(spooled, tails, strict=True):
            value.copy_to(file)
            file.write(tail.encode())
        file.write(b"\n")


def to_yaml_string(text: str) -> str:
    """Convert a text to a double-quoted YAML string; special and unprintable characters are escaped."""
    return '"' + "".join(_escape(c) for c in text) + '"'


def _escape(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code < 2**16 else f"\\U{code:08x}"
