"""Read tables with separators (CSV, TSV).

Rules:

* The first line that is not empty has the headings.
* The separator is the first of `, ; tab |` with which the headings have an image column and an expression
  column. A first line `sep=;`, as Excel writes it, sets the separator.
* Quotes follow RFC 4180: a quoted field may contain separators and line breaks.
* A row with unbalanced quotes or with more cells than headings is a defect. Reading continues with the next
  line.
"""

import csv
import itertools
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ris.datasets.entry import Defect
from ris.errors import DatasetError

SEPARATORS = (",", ";", "\t", "|")
IMAGE_KEYS = ("image", "file_name", "img", "url", "path", "filename", "image_name", "image_path", "image_url")
EXPRESSION_KEYS = ("expression", "caption", "phrase", "sent", "text", "sentence", "comment")
INVISIBLE_CHARACTERS = dict.fromkeys(map(ord, "\ufeff\u200b\u200e\u200f\u00ad"))
MAX_CELL_CHARACTERS = 2**31 - 1  # the default of csv, 131072, is too small for an image as a data: URI
MAX_LINES_PER_ROW = 1000  # limits the cost of a quote that is never closed


def normalise_heading(heading: object) -> str:
    """Normalise a heading: lower case, no surrounding spaces, `_` for inner spaces and hyphens."""
    return str(heading).translate(INVISIBLE_CHARACTERS).strip().lower().replace(" ", "_").replace("-", "_")


@dataclass(frozen=True, slots=True)
class ColumnNames:
    """The accepted names of the image column and of the expression column.

    All names are normalised by `normalise_heading`; the most preferred name is first.
    """

    images: tuple[str, ...] = IMAGE_KEYS
    expressions: tuple[str, ...] = EXPRESSION_KEYS

    @classmethod
    def from_preferred(cls, image: str, expression: str) -> "ColumnNames":
        """Prefer two names, such as those of a label config, to the usual ones."""
        names = (normalise_heading(image), *IMAGE_KEYS), (normalise_heading(expression), *EXPRESSION_KEYS)
        return cls(*(tuple(dict.fromkeys(each)) for each in names))

    def can_read(self, headings: Iterable[str]) -> bool:
        """Return whether normalised headings have an image column and an expression column."""
        present = set(headings)
        return bool(present & set(self.images) and present & set(self.expressions))

    def find_ambiguity(self, headings: Iterable[str]) -> str:
        """Return why normalised headings do not determine the expression column; "" if they do.

        They do if there is only one such column, or if one has the most preferred name or is named
        "expression".
        """
        present = set(headings)
        found = [name for name in self.expressions if name in present]
        if len(found) < 2 or found[0] in (self.expressions[0], EXPRESSION_KEYS[0]):
            return ""
        return (
            f"it has expressions under {found[0]!r} and {found[1]!r}: "
            f"rename the right column to {EXPRESSION_KEYS[0]!r}"
        )


class LineWindow:
    """Lines that are read as they are needed and forgotten when they are behind; the first has index 0."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._waiting, self._first, self._kept = iter(lines), 0, deque[str]()

    def get(self, start: int, end: int) -> list[str]:
        """Return the lines from `start` to before `end`; fewer where the text ends."""
        while self._first + len(self._kept) < end and (line := next(self._waiting, None)) is not None:
            self._kept.append(line)
        return list(itertools.islice(self._kept, start - self._first, end - self._first))

    def forget(self, end: int) -> None:
        """Forget the lines before `end`, which were read."""
        while self._first < end and self._kept:
            self._kept.popleft()
            self._first += 1


def read_separated(
    text: Iterable[str], name: str, names: ColumnNames
) -> Iterator[tuple[str, dict[str, str]] | Defect]:
    """Yield each row as (its position, its cells by normalised heading), or a defect.

    Args:
        text: the lines of the table with their ends, as `io.StringIO(..., newline="")` gives them;
            `splitlines` would also split at U+2028. They are read as rows are taken.
        name: name of the file, for positions and errors.
        names: accepted names of the columns.

    Raises:
        DatasetError: the headings have no image column or no expression column, or one of them twice.
    """
    csv.field_size_limit(MAX_CELL_CHARACTERS)
    lines, start = LineWindow(text), 0
    while (first := lines.get(start, start + 1)) and not first[0].strip():
        start += 1
    separators: Sequence[str] = SEPARATORS
    if first and first[0].lower().startswith("sep=") and len(first[0].rstrip("\r\n")) == 5:
        separators, start = first[0][4], start + 1
    separator, headings, start = _read_headings(lines, start, separators, name, names)
    while lines.get(start, start + 1):
        what = f"{name}, row {start + 1}"
        row, start = _read_row(lines, start, separator)
        lines.forget(start)
        if isinstance(row, str):
            yield Defect(what, row)
            continue
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        if len(cells) > len(headings) and any(cells[len(headings) :]):
            yield Defect(
                what, f"it has more cells than headings: put text that contains {separator!r} in quotes"
            )
        elif [normalise_heading(cell) for cell in cells] == headings:
            yield Defect(what, "it repeats the headings")
        else:
            yield what, dict(zip(headings, cells, strict=False))


def _read_headings(
    lines: LineWindow, start: int, separators: Sequence[str], name: str, names: ColumnNames
) -> tuple[str, list[str], int]:
    longest: list[str] = []
    for separator in separators:
        row, after = _read_row(lines, start, separator) if lines.get(start, start + 1) else ("", start)
        headings = [normalise_heading(cell) for cell in row] if not isinstance(row, str) else []
        longest = headings if len(headings) > len(longest) else longest
        if names.can_read(headings):
            repeated = sorted(
                {h for h in headings if h in (*names.images, *names.expressions) and headings.count(h) > 1}
            )
            if repeated:
                raise DatasetError(f"{name} has two columns {repeated[0]!r}: rename one of them")
            if ambiguity := names.find_ambiguity(headings):
                raise DatasetError(f"{name}: {ambiguity}")
            return separator, headings, after
    raise DatasetError(
        f"{name} needs a line of headings with one of {', '.join(names.images)} "
        f"and one of {', '.join(names.expressions)}, separated by a comma, semicolon, tab or |; "
        f"it begins with {', '.join(longest)[:80] or 'nothing'}"
    )


def _read_row(lines: LineWindow, start: int, separator: str) -> tuple[list[str] | str, int]:
    """Read the row that begins in line `start`.

    Returns:
        The cells, or the reason why they cannot be read; and the index of the line after the row.
    """
    for end in range(start + 1, start + MAX_LINES_PER_ROW + 1):
        part = lines.get(start, end)
        if len(part) < end - start:
            break  # the text ends
        try:
            rows = list(csv.reader(part, delimiter=separator, strict=True, skipinitialspace=True))
        except csv.Error as error:
            if "unexpected end of data" in str(error):
                continue
            return 'its quotes do not match: write " twice inside a quoted cell', start + 1
        return (rows[0] if rows else []), end
    return "a quote in it is never closed", start + 1
