"""One expression of a dataset, whatever the dataset's format."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.core.rle import RLE
from backend.core.types import Size
from backend.errors import DatasetError


@dataclass(frozen=True, slots=True)
class Entry:
    """What a dataset says of one expression.

    Attributes:
        image: the image's file name in the dataset.
        size: (height, width); None where the format does not say.
        mask: the referent; None when there is none, or the format has no masks.
        has_referent: False where the dataset says that there is no such thing.
        split: the dataset's own word.
    """

    expression: str
    image: str
    size: Size | None
    mask: RLE | None
    has_referent: bool
    split: str


def read_json(path: Path) -> Any:
    """A JSON file.

    Raises:
        DatasetError: it is not there, or no JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path} cannot be read as JSON: {type(error).__name__}: {error}") from error


def field_of(record: Mapping[str, Any], name: str, what: str) -> Any:
    """A field that has to be there.

    Raises:
        DatasetError: it is not; `what` names the record.
    """
    if not isinstance(record, Mapping) or name not in record:
        raise DatasetError(f'{what} has no "{name}"')
    return record[name]
