"""Read images with expressions from tables, JSON files, and folders with a captions file."""

import io
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from ris.datasets.answers import Row, drop_repeated_tasks
from ris.datasets.delimited import SEPARATORS, ColumnNames, normalise_heading, read_separated
from ris.datasets.entry import Defect, Entry, raise_on_defect
from ris.datasets.objects import is_json, read_objects
from ris.datasets.rows import DEFAULT_NAMES, normalise_row, read_image_and_expression, read_row
from ris.datasets.text import read_text
from ris.errors import DatasetError

CAPTION_NUMBER = re.compile(
    r"(?<=\w)#\d+\s*$"
)  # Flickr30k and Flickr8k number the captions of an image: a.jpg#0
CAPTION_FILES = tuple(
    f"{stem}.{ending}"
    for stem in ("captions", "metadata")
    for ending in ("csv", "tsv", "jsonl", "json", "txt")
)


def read_image_table(path: Path, encoding: str | None = None) -> Iterator[Entry]:
    """Read a table as `scan_image_table` does, but refuse defects.

    Raises:
        DatasetError: the file cannot be read, or there is a defect; the message names the row.
    """
    return raise_on_defect(scan_image_table(path, encoding))


def scan_image_table(
    path: Path, encoding: str | None = None, names: ColumnNames = DEFAULT_NAMES
) -> Iterator[Entry | Defect]:
    """Yield one entry for each row, and the defects.

    Args:
        path: a table with headings, JSON or JSON Lines, with the columns "image" and "expression" or other
            accepted names. Optional columns are "split", and "verdict" and "mask" as in `rows`. Label
            Studio's own files are accepted. Lines of image name, tab and expression need no headings. For a
            folder, its captions file is read.
        encoding: Python's name of the encoding; None detects it, see `text`.
        names: accepted names of the columns.

    Raises:
        DatasetError: the file has none of these formats, or cannot be read.
    """
    path = find_table_file(path)
    for row in read_rows(read_text(path, encoding), path, names):
        if isinstance(row, Defect):
            yield row
        else:
            yield from read_row(*row, names)


def find_table_file(path: Path) -> Path:
    """Return the file itself, or the captions file of a folder.

    Raises:
        DatasetError: the folder has no captions file.
    """
    if not path.is_dir():
        return path
    found = [path / name for name in CAPTION_FILES if (path / name).is_file()]
    if not found:
        raise DatasetError(f"{path} has no captions file; it can be {', '.join(CAPTION_FILES)}")
    return found[0]


def read_rows(text: str, path: Path, names: ColumnNames) -> Iterator[Row | Defect]:
    """Yield the rows of a file and the defects; of several answers to one task, only the first.

    Args:
        text: the content of the file.
        path: the file, for positions and errors.
        names: accepted names of the columns.

    Raises:
        DatasetError: the text is neither JSON nor a table.
    """
    rows: Iterator[Row | Defect]
    if is_json(text):
        rows = read_objects(text, path)
    elif is_pairs(io.StringIO(text), names):
        rows = read_pairs(io.StringIO(text, newline=""), path)
    else:
        rows = read_separated(io.StringIO(text, newline=""), path.name, names)
    return drop_repeated_tasks(rows, lambda row: read_image_and_expression(normalise_row(row), names))


def is_pairs(lines: Iterable[str], names: ColumnNames) -> bool:
    """Return whether the first line has no headings, but an image name, a tab and an expression."""
    first = next((line for line in lines if line.strip()), "")
    image, tab, _ = first.partition("\t")
    is_heading = any(
        names.can_read(normalise_heading(cell.strip().strip('"')) for cell in first.split(separator))
        for separator in SEPARATORS
    )
    return bool(tab) and not is_heading and ("." in image or "/" in image)


def read_pairs(lines: Iterable[str], path: Path) -> Iterator[tuple[str, dict[str, str]] | Defect]:
    """Yield the image and the expression of each line, or a defect.

    Args:
        lines: each an image name, a tab and an expression.
        path: the file, for positions.
    """
    for number, line in enumerate(lines, 1):
        what = f"{path.name}, row {number}"
        image, tab, after = line.rstrip("\r\n").partition("\t")
        cells = [cell for cell in after.split("\t") if cell.strip()]
        if not line.strip():
            continue
        if not tab:
            yield Defect(what, "it has no tab between the image and the expression")
        elif len(cells) > 1:
            yield Defect(what, "it has more than an image and an expression: the expression contains a tab")
        else:
            yield what, {"image": CAPTION_NUMBER.sub("", image), "expression": "".join(cells)}
