"""One expression of a dataset, whatever the dataset's format, and what of a dataset cannot be used."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ris.core.rle import RLE
from ris.core.types import Size
from ris.datasets.text import read_text
from ris.errors import DatasetError

LEFT_OUT = "left out"
WITHOUT_MASK = "without its mask"


@dataclass(frozen=True, slots=True)
class Entry:
    """What a dataset says of one expression.

    Attributes:
        image: the image's file name in the dataset, with forward slashes.
        size: (height, width); None where the format does not say.
        mask: the referent; None when there is none, or the format has no masks.
        has_referent: False where the dataset says that there is no such thing.
        split: the dataset's own word.
        task: what Label Studio's own JSON says beside, in its own words; empty for all else.
    """

    expression: str
    image: str
    size: Size | None
    mask: RLE | None
    has_referent: bool
    split: str
    task: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Defect:
    """A part of a dataset that cannot be used as it is; the rest can.

    Attributes:
        what: which part, e.g. "ref 12" or "table.csv, row 7".
        reason: what is wrong, in words that are the same for all parts of the same defect.
        outcome: what became of it: `LEFT_OUT`, or `WITHOUT_MASK` for an expression whose mask is not used.
    """

    what: str
    reason: str
    outcome: str = LEFT_OUT


def raise_on_defect(read: Iterable[Entry | Defect]) -> Iterator[Entry]:
    """The entries of a dataset that has no defect, for those who compare figures.

    Raises:
        DatasetError: at the first defect.
    """
    for one in read:
        if isinstance(one, Defect):
            raise DatasetError(f"{one.what}: {one.reason}")
        yield one


def read_json(path: Path, encoding: str | None = None) -> Any:
    """A JSON file. NaN and Infinity, which are no JSON, are None.

    Raises:
        DatasetError: it is not there, or no JSON.
    """
    try:
        return parse_json(read_text(path, encoding))
    except ValueError as error:
        raise DatasetError(f"{path} cannot be read as JSON: {error}") from error


def parse_json(text: str) -> Any:
    """JSON text. NaN and Infinity, which are no JSON, are None.

    Raises:
        ValueError: it is no JSON.
    """
    try:
        return json.loads(text, parse_constant=lambda name: None)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def get_field(record: Mapping[str, Any], name: str, what: str = "it") -> Any:
    """A field that has to be there.

    Raises:
        DatasetError: it is not; `what` names the record.
    """
    if not isinstance(record, Mapping) or name not in record:
        raise DatasetError(f'{what} has no "{name}"')
    return record[name]


def to_expression_text(value: object) -> str:
    """An expression as text: digits that a program took for a number are words again.

    Raises:
        DatasetError: it is no text, empty, or has half of a character.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise DatasetError("its words are no text")
    words = value.replace("\x00", "").strip()
    if not words:
        raise DatasetError("its words are empty")
    if not is_whole(words):
        raise DatasetError("its words have half of a character (a lone surrogate)")
    return words


def is_whole(text: str) -> bool:
    """Whether a text has no lone surrogate: one cannot be written in UTF-8, nor kept in a database."""
    return not any("\ud800" <= c <= "\udfff" for c in text)


def to_path(name: object) -> str:
    """An image's name with forward slashes, wherever it was written.

    Raises:
        DatasetError: it is no text, or empty.
    """
    if not isinstance(name, str) or not name.strip():
        raise DatasetError("its image has no name")
    name = name.strip()
    if not is_whole(name):
        raise DatasetError("its image's name has half of a character (a lone surrogate)")
    return name if name.startswith("data:") else name.replace("\\", "/")


def to_id(value: object) -> int | str:
    """An id that is equal to itself whether it was written as a number, a float or digits."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    text = str(value).strip()
    return int(text) if text.isascii() and text.removeprefix("-").isdigit() and len(text) < 20 else text


class RecordIndex:
    """Records by their id. An id that two different records have names neither.

    Args:
        records: those that are no object or have no id are left aside: nothing can name them.
        name: of the field of the id.
        file: named in errors.
        noun: what a record is, for errors: "image".
    """

    def __init__(self, records: Any, name: str, file: str, noun: str) -> None:
        if not isinstance(records, list):
            raise DatasetError(f"{file} must hold a list of {noun}s")
        self.file, self.noun = file, noun
        self._found: dict[int | str, Mapping[str, Any]] = {}
        self._doubled: set[int | str] = set()
        for record in records:
            if not isinstance(record, Mapping) or name not in record:
                continue
            key = to_id(record[name])
            if self._found.setdefault(key, record) != record:
                self._doubled.add(key)

    def find(self, key: object) -> Mapping[str, Any]:
        """The record of an id.

        Raises:
            DatasetError: there is none, or there are several.
        """
        number = to_id(key)
        if number in self._doubled:
            raise DatasetError(f"{self.file} has several {self.noun}s of its id")
        if number not in self._found:
            raise DatasetError(f"{self.file} has no {self.noun} of its id")
        return self._found[number]


def read_record_size(record: Mapping[str, Any]) -> Size | None:
    """(height, width) of a record of an image; None where it does not say, or says what cannot be."""
    try:
        height, width = float(record["height"]), float(record["width"])
    except (KeyError, TypeError, ValueError):
        return None
    if not (height.is_integer() and width.is_integer() and height >= 1 and width >= 1):
        return None
    return int(height), int(width)
