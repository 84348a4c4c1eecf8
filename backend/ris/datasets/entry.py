"""The common form of an expression of a dataset, and of the parts that cannot be used."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ris.core.rle import RLE
from ris.core.types import Size
from ris.datasets.text import read_text
from ris.errors import DatasetError

LEFT_OUT = "left out"
WITHOUT_MASK = "without its mask"


@dataclass(frozen=True, slots=True)
class Entry:
    """One expression of a dataset.

    Attributes:
        expression: the expression, not empty.
        image: name of the image in the dataset, with forward slashes.
        size: (height, width) of the image; None if the dataset does not give it.
        mask: mask of the referent; None if there is no referent or no mask.
        has_referent: whether the image shows a referent, according to the dataset.
        split: name of the split, as in the dataset.
        task: the task as in Label Studio's JSON; empty for other formats.
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
    """A part of a dataset that cannot be used as it is.

    Attributes:
        what: the part, such as "ref 12" or "table.csv, row 7".
        reason: what is wrong, worded the same for all parts with the same defect.
        outcome: `LEFT_OUT`, or `WITHOUT_MASK` for an expression whose mask is not used.
    """

    what: str
    reason: str
    outcome: str = LEFT_OUT


def raise_on_defect(read: Iterable[Entry | Defect]) -> Iterator[Entry]:
    """Yield entries until the first defect, for callers that need the whole dataset.

    Raises:
        DatasetError: there is a defect.
    """
    for part in read:
        if isinstance(part, Defect):
            raise DatasetError(f"{part.what}: {part.reason}")
        yield part


def read_json(path: Path, encoding: str | None = None) -> Any:
    """Read a JSON file. NaN and Infinity, which JSON does not allow, become None.

    Raises:
        DatasetError: the file does not exist or is not JSON.
    """
    try:
        return parse_json(read_text(path, encoding))
    except ValueError as error:
        raise DatasetError(f"{path} cannot be read as JSON: {error}") from error


def parse_json(text: str) -> Any:
    """Parse JSON. NaN and Infinity, which JSON does not allow, become None.

    Raises:
        ValueError: the text is not JSON or is nested too deeply.
    """
    try:
        return json.loads(text, parse_constant=lambda name: None)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def get_field(record: Mapping[str, Any], name: str, what: str = "it") -> Any:
    """Return a required field of a record.

    Raises:
        DatasetError: the field is missing; `what` names the record in the message.
    """
    if not isinstance(record, Mapping) or name not in record:
        raise DatasetError(f'{what} has no "{name}"')
    return record[name]


def to_expression_text(value: object) -> str:
    """Convert a value to the text of an expression; a number becomes its digits.

    Raises:
        DatasetError: the value is not text, is empty, or has a lone surrogate.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise DatasetError("its expression is not text")
    text = value.replace("\x00", "").strip()
    if not text:
        raise DatasetError("its expression is empty")
    if not is_whole(text):
        raise DatasetError("its expression has half of a character (a lone surrogate)")
    return text


def is_whole(text: str) -> bool:
    """Return whether a text has no lone surrogate, which neither UTF-8 nor a database can store."""
    return not any("\ud800" <= c <= "\udfff" for c in text)


def to_path(name: object) -> str:
    """Convert the name of an image to one with forward slashes; data: URIs stay.

    Raises:
        DatasetError: the name is not text, is empty, or has a lone surrogate.
    """
    if not isinstance(name, str) or not name.strip():
        raise DatasetError("its image has no name")
    name = name.strip()
    if not is_whole(name):
        raise DatasetError("its image's name has half of a character (a lone surrogate)")
    return name if name.startswith("data:") else name.replace("\\", "/")


def to_id(value: object) -> int | str:
    """Convert an id so that 7, 7.0 and "7" are equal."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    text = str(value).strip()
    return int(text) if text.isascii() and text.removeprefix("-").isdigit() and len(text) < 20 else text


class RecordSource(Protocol):
    """Finds records of a file by id."""

    def find(self, key: object) -> Mapping[str, Any]:
        """Return the record with an id.

        Raises:
            DatasetError: no record has this id, or several different ones.
        """


class RecordIndex:
    """Find records by id. An id that two different records share finds neither.

    Args:
        records: a list of objects; items that are not objects or have no id are ignored.
        name: name of the id field.
        file: name of the file, for errors.
        noun: what a record is, for errors, such as "image".

    Raises:
        DatasetError: `records` is not a list.
    """

    def __init__(self, records: Any, name: str, file: str, noun: str) -> None:
        if not isinstance(records, list):
            raise DatasetError(f"{file} must hold a list of {noun}s")
        self.file, self.noun = file, noun
        self._records: dict[int | str, Mapping[str, Any]] = {}
        self._ambiguous: set[int | str] = set()
        for record in records:
            if not isinstance(record, Mapping) or name not in record:
                continue
            key = to_id(record[name])
            if self._records.setdefault(key, record) != record:
                self._ambiguous.add(key)

    def find(self, key: object) -> Mapping[str, Any]:
        """Return the record with an id.

        Raises:
            DatasetError: no record or several different records have this id.
        """
        number = to_id(key)
        if number in self._ambiguous:
            raise DatasetError(f"{self.file} has several {self.noun}s with its id")
        if number not in self._records:
            raise DatasetError(f"{self.file} has no {self.noun} with its id")
        return self._records[number]


def read_record_size(record: Mapping[str, Any]) -> Size | None:
    """Return (height, width) of an image's record; None if they are missing or not positive integers."""
    try:
        height, width = float(record["height"]), float(record["width"])
    except (KeyError, TypeError, ValueError):
        return None
    if not (height.is_integer() and width.is_integer() and height >= 1 and width >= 1):
        return None
    return int(height), int(width)
