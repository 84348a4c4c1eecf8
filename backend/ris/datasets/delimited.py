"""Tables with separators: which character separates is decided by the headings, a row alone can be bad.

The rule. The first line that is not empty holds the headings. The separator is the one of `, ; tab |` under
which it has a column of images and one of words; a first line `sep=;`, as Excel writes it, names it. Quotes
are those of RFC 4180: a quoted field may hold separators and line breaks. A row whose quotes do not fit, or
which has more cells than there are headings, is a defect, and reading goes on with the next line.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ris.datasets.entry import Defect
from ris.errors import DatasetError

SEPARATORS = (",", ";", "\t", "|")
IMAGE_KEYS = ("image", "file_name", "img", "url", "path", "filename", "image_name", "image_path", "image_url")
WORD_KEYS = ("expression", "caption", "phrase", "sent", "text", "sentence", "comment")
INVISIBLE_CHARACTERS = dict.fromkeys(map(ord, "\ufeff\u200b\u200e\u200f\u00ad"))
MAX_CELL_CHARACTERS = 2**31 - 1  # csv's own limit, 131072 characters, is less than a picture written as data:
MAX_LINES_PER_ROW = 1000  # of one row: a quote that is never closed costs no more


def normalise_heading(heading: object) -> str:
    """A heading as it is compared: lower case, no spaces around it, `_` for spaces and hyphens in it."""
    return str(heading).translate(INVISIBLE_CHARACTERS).strip().lower().replace(" ", "_").replace("-", "_")


@dataclass(frozen=True, slots=True)
class ColumnNames:
    """What a column of images and one of words may be called, as `normalise_heading` writes it, the most
    wanted first."""

    images: tuple[str, ...] = IMAGE_KEYS
    words: tuple[str, ...] = WORD_KEYS

    @classmethod
    def from_preferred(cls, image: str, words: str) -> "ColumnNames":
        """The usual names after two that are wanted more, e.g. those of a label config."""
        wanted = (normalise_heading(image), *IMAGE_KEYS), (normalise_heading(words), *WORD_KEYS)
        return cls(*(tuple(dict.fromkeys(names)) for names in wanted))

    def can_read(self, headings: Iterable[str]) -> bool:
        """Whether plain headings have one of each."""
        there = set(headings)
        return bool(there & set(self.images) and there & set(self.words))

    def find_ambiguity(self, headings: Iterable[str]) -> str:
        """Why nobody can say which of the plain headings has the words; "" where one is preferred or alone.

        Preferred are the most wanted name, that of a label config, and "expression".
        """
        there = set(headings)
        found = [name for name in self.words if name in there]
        if len(found) < 2 or found[0] in (self.words[0], WORD_KEYS[0]):
            return ""
        return f"it has words under {found[0]!r} and {found[1]!r}: rename the right one to {WORD_KEYS[0]!r}"


def read_separated(text: str, name: str, names: ColumnNames) -> Iterator[tuple[str, dict[str, str]] | Defect]:
    """Every row as (where it stands, its cells by plain heading), or what of it cannot be used.

    Raises:
        DatasetError: the headings name no images, no words, or one of them twice.
    """
    csv.field_size_limit(MAX_CELL_CHARACTERS)
    lines = io.StringIO(text, newline="").readlines()  # not splitlines, which takes U+2028 for a line's end
    start = next((i for i, line in enumerate(lines) if line.strip()), len(lines))
    separators: Sequence[str] = SEPARATORS
    if (
        start < len(lines)
        and lines[start].lower().startswith("sep=")
        and len(lines[start].rstrip("\r\n")) == 5
    ):
        separators, start = lines[start][4], start + 1
    separator, headings, start = _read_headings(lines, start, separators, name, names)
    while start < len(lines):
        what = f"{name}, row {start + 1}"
        found, after = _read_row(lines, start, separator)
        start = after
        if isinstance(found, str):
            yield Defect(what, found)
            continue
        cells = [cell.strip() for cell in found]
        if not any(cells):
            continue
        if len(cells) > len(headings) and any(cells[len(headings) :]):
            yield Defect(
                what, f"it has more cells than there are headings: put words with {separator!r} into quotes"
            )
        elif [normalise_heading(cell) for cell in cells] == headings:
            yield Defect(what, "it repeats the headings")
        else:
            yield what, dict(zip(headings, cells, strict=False))


def _read_headings(
    lines: Sequence[str], start: int, separators: Sequence[str], name: str, names: ColumnNames
) -> tuple[str, list[str], int]:
    seen: list[str] = []
    for separator in separators:
        found, after = _read_row(lines, start, separator) if start < len(lines) else ("", start)
        headings = [normalise_heading(cell) for cell in found] if not isinstance(found, str) else []
        seen = headings if len(headings) > len(seen) else seen
        if names.can_read(headings):
            doubled = sorted(
                {h for h in headings if h in (*names.images, *names.words) and headings.count(h) > 1}
            )
            if doubled:
                raise DatasetError(f"{name} has two columns {doubled[0]!r}: rename one of them")
            if doubt := names.find_ambiguity(headings):
                raise DatasetError(f"{name}: {doubt}")
            return separator, headings, after
    raise DatasetError(
        f"{name} needs a line of headings with one of {', '.join(names.images)} "
        f"and one of {', '.join(names.words)}, separated by a comma, semicolon, tab or |; "
        f"it begins with {', '.join(seen)[:80] or 'nothing'}"
    )


def _read_row(lines: Sequence[str], start: int, separator: str) -> tuple[list[str] | str, int]:
    """The cells of the row that begins in a line, or what is wrong with it, and the line after it."""
    for end in range(start + 1, min(len(lines), start + MAX_LINES_PER_ROW) + 1):
        try:
            rows = list(csv.reader(lines[start:end], delimiter=separator, strict=True, skipinitialspace=True))
        except csv.Error as error:
            if "unexpected end of data" in str(error):
                continue
            return 'its quotes do not fit: write " inside a quoted cell twice', start + 1
        return (rows[0] if rows else []), end
    return "a quote in it is never closed", start + 1
