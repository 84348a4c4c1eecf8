"""Pickle RefCOCO's refs one by one.

The bytes are those of `pickle.dumps(refs, protocol=2)`, which needs all refs in memory. REFER unpickles the
file, with Python 2 if need be: protocol 2 is the newest that it reads. A pickle writes each object once, and
refers to it by a number where it occurs again. Of the refs, the names of keys, splits and images occur again;
all other objects belong to one ref.
"""

import struct
from array import array
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

_ITEMS_PER_BATCH = 1_000  # as in the pickle module
_NOT_WRITTEN = 0  # the number of the list of refs, so of no other object


class ByteSink(Protocol):
    """Takes bytes, as a file does."""

    def write(self, data: bytes, /) -> object:
        """Take bytes."""


class RefPickler:
    """Writes the pickle of a list of refs.

    Args:
        file: where to write.
    """

    def __init__(self, file: ByteSink) -> None:
        self._file, self._n_refs, self._first = file, 0, b""
        self._n_objects = 1
        self._shared: dict[int, tuple[int, str]] = {}  # by id(): the number of a text, and the text
        self._own: dict[int, int] = {}  # by id(): the numbers of the texts of one ref
        self._names = array("I")  # by image id: the number of its file's name
        file.write(b"\x80\x02]q\x00")

    def add(self, ref: Mapping[str, Any]) -> None:
        """Write a ref; its "image_id" is from 1, in order of first appearance."""
        parts: list[bytes] = []
        self._own.clear()
        self._save_object(ref, parts)
        written = b"".join(parts)
        if self._n_refs == 0:
            self._first = written  # a list of one item is written in another way
        elif self._n_refs == 1:
            self._file.write(b"(" + self._first + written)
        else:
            self._file.write(b"e(" + written if self._n_refs % _ITEMS_PER_BATCH == 0 else written)
        self._n_refs += 1

    def close(self) -> None:
        """Write the end of the list."""
        if self._n_refs == 1:
            self._file.write(self._first + b"a")
        elif self._n_refs:
            self._file.write(b"e")
        self._file.write(b".")

    def _save_object(self, content: Mapping[str, Any], parts: list[bytes]) -> None:
        parts += b"}", self._number_object(), b"("
        for key, value in content.items():
            self._save_shared(key, parts)
            if key == "file_name":
                self._save_name(value, content["image_id"], parts)
            elif key == "split":
                self._save_shared(value, parts)
            else:
                self._save(value, parts)
        parts.append(b"u")

    def _save(self, value: Any, parts: list[bytes]) -> None:
        if isinstance(value, int):
            parts.append(_pickle_number(value))
        elif isinstance(value, str):
            self._save_text(value, parts)
        elif isinstance(value, list):
            self._save_list(value, parts)
        else:
            self._save_object(value, parts)

    def _save_list(self, items: Sequence[Any], parts: list[bytes]) -> None:
        parts += b"]", self._number_object()
        if len(items) == 1:
            self._save(items[0], parts)
            parts.append(b"a")
            return
        for start in range(0, len(items), _ITEMS_PER_BATCH):
            parts.append(b"(")
            for item in items[start : start + _ITEMS_PER_BATCH]:
                self._save(item, parts)
            parts.append(b"e")

    def _save_text(self, text: str, parts: list[bytes]) -> None:
        if id(text) in self._own:
            parts.append(_refer_to(self._own[id(text)]))
        elif _is_unique(text) or id(text) in self._shared:
            self._save_shared(text, parts)
        else:
            self._own[id(text)] = self._n_objects
            parts += _pickle_text(text), self._number_object()

    def _save_shared(self, text: str, parts: list[bytes]) -> None:
        if id(text) in self._shared:
            parts.append(_refer_to(self._shared[id(text)][0]))
        else:
            self._shared[id(text)] = self._n_objects, text
            parts += _pickle_text(text), self._number_object()

    def _save_name(self, name: str, image_id: int, parts: list[bytes]) -> None:
        while len(self._names) <= image_id:
            self._names.append(_NOT_WRITTEN)
        if self._names[image_id] != _NOT_WRITTEN:
            parts.append(_refer_to(self._names[image_id]))
        else:
            self._names[image_id] = self._n_objects
            parts += _pickle_text(name), self._number_object()

    def _number_object(self) -> bytes:
        number, self._n_objects = self._n_objects, self._n_objects + 1
        return b"q" + bytes([number]) if number < 256 else b"r" + struct.pack("<I", number)


def _is_unique(text: str) -> bool:
    """Return whether Python has one object for all texts like this."""
    return text == "" or (len(text) == 1 and text <= "\xff")


def _refer_to(number: int) -> bytes:
    return b"h" + bytes([number]) if number < 256 else b"j" + struct.pack("<I", number)


def _pickle_text(text: str) -> bytes:
    data = text.encode("utf-8", "surrogatepass")
    return b"X" + struct.pack("<I", len(data)) + data


def _pickle_number(number: int) -> bytes:
    if 0 <= number < 2**8:
        return b"K" + bytes([number])
    return b"M" + struct.pack("<H", number) if 0 <= number < 2**16 else b"J" + struct.pack("<i", number)
