"""Images with words and nothing more: tables, JSON, and folders of pictures with a captions file."""

import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from backend.core.rle import RLE
from backend.datasets.entry import WITHOUT_MASK, Defect, Entry, strict, to_path, words_of
from backend.datasets.objects import is_json, read_objects
from backend.datasets.segmentation import read_segmentation
from backend.datasets.separated import SEPARATORS, Names, plain, read_separated
from backend.datasets.text import read_text
from backend.errors import DatasetError

USUAL = Names()
CAPTIONS = tuple(
    f"{stem}.{ending}"
    for stem in ("captions", "metadata")
    for ending in ("csv", "tsv", "jsonl", "json", "txt")
)


def read_table(path: Path, encoding: str | None = None) -> Iterator[Entry]:
    """As `scan_table`, of a table that is to have no defect.

    Raises:
        DatasetError: it is no table, or a row lacks its image or its words; the message names the row.
    """
    return strict(scan_table(path, encoding))


def scan_table(path: Path, encoding: str | None = None, names: Names = USUAL) -> Iterator[Entry | Defect]:
    """A row an expression, and the rows that cannot be used.

    Args:
        path: a table with headings, JSON or JSON Lines: "image" and "expression", or names alike; "split" if
            there are splits, "verdict" for "no referent", and in JSON "mask" as COCO's segmentation. Label
            Studio's own JSON is read too. Lines of a picture's name, a tab and the words need no headings. A
            folder is read by its captions file.
        encoding: when a person named it.
        names: of the columns.

    Raises:
        DatasetError: it is none of these, or cannot be read at all.
    """
    path = table_of(path)
    for row in _rows(path, encoding, names):
        if isinstance(row, Defect):
            yield row
        else:
            yield from read_row(*row, names)


def table_of(path: Path) -> Path:
    """The file itself, or the captions file of a folder.

    Raises:
        DatasetError: the folder has none.
    """
    if not path.is_dir():
        return path
    found = [path / name for name in CAPTIONS if (path / name).is_file()]
    if not found:
        raise DatasetError(f"{path} has no captions file; it can be {', '.join(CAPTIONS)}")
    return found[0]


def read_row(what: str, row: Mapping[str, Any], names: Names = USUAL) -> Iterator[Entry | Defect]:
    """The entry of a row or of a task of Label Studio's, and what of it cannot be used."""
    task = row if isinstance(row.get("data"), Mapping) else {}
    named = {plain(key): value for key, value in (task.get("data") or row).items()}
    try:
        image, words = to_path(_first(named, names.images)), words_of(_first(named, names.words))
    except DatasetError as error:
        yield Defect(what, str(error))
        return
    mask = None
    try:
        mask = None if task else _mask(named.get("mask"))
    except DatasetError as error:
        yield Defect(what, str(error), WITHOUT_MASK)
    has_referent = named.get("verdict") != "no referent"
    split, size = str(named.get("split") or "train"), mask.size if mask else None
    yield Entry(words, image, size, mask, has_referent, split, task)


def _rows(path: Path, encoding: str | None, names: Names) -> Iterator[tuple[str, Mapping[str, Any]] | Defect]:
    text = read_text(path, encoding)
    if is_json(text):
        return read_objects(text, path)
    if _is_pairs(text, names):
        return _read_pairs(text, path)
    return read_separated(text, path.name, names)


def _is_pairs(text: str, names: Names) -> bool:
    """Whether the first line is no heading, but a file's name, a tab and words."""
    first = next((line for line in io.StringIO(text) if line.strip()), "")
    image, tab, _ = first.partition("\t")
    is_heading = any(
        names.are_in(plain(cell.strip().strip('"')) for cell in first.split(separator))
        for separator in SEPARATORS
    )
    return bool(tab) and not is_heading and ("." in image or "/" in image)


def _read_pairs(text: str, path: Path) -> Iterator[tuple[str, dict[str, str]] | Defect]:
    for number, line in enumerate(io.StringIO(text, newline=""), 1):
        what = f"{path.name}, row {number}"
        image, tab, words = line.rstrip("\r\n").partition("\t")
        if not line.strip():
            continue
        if not tab:
            yield Defect(what, "it has no tab between the picture and the words")
        else:
            yield what, {"image": image, "expression": words}


def _mask(given: Any) -> RLE | None:
    """COCO's run lengths; a name of a file or Label Studio's own regions are no mask that is read here."""
    return read_segmentation(given, None) if isinstance(given, Mapping) else None


def _first(row: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    """The value under the first of these names that the row has."""
    for name in names:
        if row.get(name) is not None:
            return row[name]
    raise DatasetError(f"it has none of {', '.join(dict.fromkeys(names))}")
