"""Images with words and nothing more: tables, JSON, and folders of pictures with a captions file."""

import io
import re
from collections.abc import Iterator
from pathlib import Path

from ris.datasets.answers import Row, drop_repeated_tasks
from ris.datasets.delimited import SEPARATORS, ColumnNames, normalise_heading, read_separated
from ris.datasets.entry import Defect, Entry, raise_on_defect
from ris.datasets.objects import is_json, read_objects
from ris.datasets.rows import DEFAULT_NAMES, normalise_row, read_row, read_words
from ris.datasets.text import read_text
from ris.errors import DatasetError

CAPTION_NUMBER = re.compile(
    r"(?<=\w)#\d+\s*$"
)  # Flickr30k and Flickr8k count the captions of a picture: a.jpg#0
CAPTION_FILES = tuple(
    f"{stem}.{ending}"
    for stem in ("captions", "metadata")
    for ending in ("csv", "tsv", "jsonl", "json", "txt")
)


def read_image_table(path: Path, encoding: str | None = None) -> Iterator[Entry]:
    """As `scan_image_table`, of a table that is to have no defect.

    Raises:
        DatasetError: it is no table, or a row lacks its image or its words; the message names the row.
    """
    return raise_on_defect(scan_image_table(path, encoding))


def scan_image_table(
    path: Path, encoding: str | None = None, names: ColumnNames = DEFAULT_NAMES
) -> Iterator[Entry | Defect]:
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
    path = find_table_file(path)
    for row in read_rows(read_text(path, encoding), path, names):
        if isinstance(row, Defect):
            yield row
        else:
            yield from read_row(*row, names)


def find_table_file(path: Path) -> Path:
    """The file itself, or the captions file of a folder.

    Raises:
        DatasetError: the folder has none.
    """
    if not path.is_dir():
        return path
    found = [path / name for name in CAPTION_FILES if (path / name).is_file()]
    if not found:
        raise DatasetError(f"{path} has no captions file; it can be {', '.join(CAPTION_FILES)}")
    return found[0]


def read_rows(text: str, path: Path, names: ColumnNames) -> Iterator[Row | Defect]:
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
    return drop_repeated_tasks(rows, lambda row: read_words(normalise_row(row), names))


def _is_pairs(text: str, names: ColumnNames) -> bool:
    """Whether the first line is no heading, but a file's name, a tab and words."""
    first = next((line for line in io.StringIO(text) if line.strip()), "")
    image, tab, _ = first.partition("\t")
    is_heading = any(
        names.can_read(normalise_heading(cell.strip().strip('"')) for cell in first.split(separator))
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
            yield what, {"image": CAPTION_NUMBER.sub("", image), "expression": "".join(words)}
