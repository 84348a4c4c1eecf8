"""Images with words and nothing more: tables, JSON, and folders of pictures with a captions file."""

import io
import re
from collections.abc import Iterator
from pathlib import Path

from ris.datasets.answers import Row, take_once
from ris.datasets.entry import Defect, Entry, strict
from ris.datasets.objects import is_json, read_objects
from ris.datasets.rows import USUAL, read_row, read_words, to_plain
from ris.datasets.separated import SEPARATORS, Names, plain, read_separated
from ris.datasets.text import read_text
from ris.errors import DatasetError

COUNTED = re.compile(r"(?<=\w)#\d+\s*$")  # Flickr30k and Flickr8k count the captions of a picture: a.jpg#0
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
            there are splits, "verdict" and "mask" as `rows` has them. Label Studio's own files are read too.
            Lines of a picture's name, a tab and the words need no headings. A folder is read by its captions
            file.
        encoding: when a person named it.
        names: of the columns.

    Raises:
        DatasetError: it is none of these, or cannot be read at all.
    """
    path = table_of(path)
    for row in read_rows(read_text(path, encoding), path, names):
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


def read_rows(text: str, path: Path, names: Names) -> Iterator[Row | Defect]:
    """The rows of a file as they are; of several answers to one task, the first.

    Raises:
        DatasetError: it is neither JSON nor a table.
    """
    rows: Iterator[Row | Defect]
    if is_json(text):
        rows = read_objects(text, path)
    elif _is_pairs(text, names):
        rows = _read_pairs(text, path)
    else:
        rows = read_separated(text, path.name, names)
    return take_once(rows, lambda row: read_words(to_plain(row), names))


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
        image, tab, after = line.rstrip("\r\n").partition("\t")
        words = [cell for cell in after.split("\t") if cell.strip()]
        if not line.strip():
            continue
        if not tab:
            yield Defect(what, "it has no tab between the picture and the words")
        elif len(words) > 1:
            yield Defect(what, "it has more than a picture and words: a tab stands in its words")
        else:
            yield what, {"image": COUNTED.sub("", image), "expression": "".join(words)}
