"""Images with words and nothing more: CSV, JSON Lines, and folders of pictures with a captions file."""

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from backend.core.rle import RLE
from backend.core.types import Size
from backend.datasets.entry import Entry
from backend.datasets.refcoco import decoded
from backend.errors import DatasetError

IMAGE_KEYS = ("image", "file_name", "img", "url", "path")
WORD_KEYS = ("expression", "caption", "phrase", "sent", "text", "sentence")
CAPTIONS = (
    "captions.csv",
    "captions.tsv",
    "captions.jsonl",
    "captions.txt",
    "metadata.csv",
    "metadata.jsonl",
)


def read_table(path: Path) -> Iterator[Entry]:
    """A row an expression.

    Args:
        path: .csv or .tsv with headings, or .jsonl: "image" and "expression", or names alike; "split" if
            there are splits, and in .jsonl "mask" as COCO's run length. A .txt has a picture's name, a tab
            and the words a line. A folder is read by the captions file in it.

    Raises:
        DatasetError: it is none of these, or a row lacks its image or its words; the message names the row.
    """
    if path.is_dir():
        path = _captions(path)
    for number, row in _rows(path):
        yield _entry(row, f"{path.name}, row {number}")


def _captions(folder: Path) -> Path:
    found = [folder / name for name in CAPTIONS if (folder / name).is_file()]
    if not found:
        raise DatasetError(f"{folder} has no captions file; it can be {', '.join(CAPTIONS)}")
    return found[0]


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            if path.suffix in (".csv", ".tsv"):
                yield from enumerate(
                    csv.DictReader(file, delimiter="," if path.suffix == ".csv" else "\t"), 2
                )
            elif path.suffix == ".jsonl":
                for number, line in enumerate(file, 1):
                    if line.strip():
                        yield number, json.loads(line)
            elif path.suffix == ".txt":
                for number, line in enumerate(file, 1):
                    image, _, words = line.rstrip("\r\n").partition("\t")
                    if line.strip():
                        yield number, {"image": image, "expression": words}
            else:
                raise DatasetError(f"{path} must be .csv, .tsv, .jsonl or .txt")
    except (OSError, ValueError, csv.Error) as error:
        raise DatasetError(f"{path} cannot be read: {type(error).__name__}: {error}") from error


def _entry(row: Mapping[str, Any], what: str) -> Entry:
    if not isinstance(row, Mapping):
        raise DatasetError(f"{what} must be an object")
    image, words = _first(row, IMAGE_KEYS, what), _first(row, WORD_KEYS, what)
    mask = _mask(row.get("mask"), what)
    has_referent = row.get("verdict") != "no referent"
    split = str(row.get("split") or "train")
    return Entry(words, image, mask.size if mask else None, mask, has_referent, split)


def _mask(given: Any, what: str) -> RLE | None:
    if not isinstance(given, Mapping):
        return None
    size = given.get("size")
    if not isinstance(size, list) or len(size) != 2:
        raise DatasetError(f'{what}: its mask needs "size", [height, width], and "counts"')
    shape: Size = int(size[0]), int(size[1])
    return decoded(given, shape, what)


def _first(row: Mapping[str, Any], names: tuple[str, ...], what: str) -> str:
    for name in names:
        value = row.get(name)
        if isinstance(value, str) and value.strip():
            return value.strip()
    raise DatasetError(
        f"{what} has none of {', '.join(names)}; it has {', '.join(map(str, row))[:120] or 'nothing'}"
    )
