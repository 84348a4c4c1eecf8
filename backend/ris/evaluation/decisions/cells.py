"""Tables of the report and of the page at `/`: their cells, and the names in them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

_NUMBER = re.compile(r"-|-?\d+(\.\d+)?( \[-?\d+\.\d+, -?\d+\.\d+\])?")  # with or without its interval


@dataclass(frozen=True, slots=True)
class Progress:
    """A cell with a bar: so many of a total are done."""

    done: int
    total: int

    @property
    def label(self) -> str:
        """The numbers as text."""
        return f"{self.done} of {self.total}"


@dataclass(frozen=True, slots=True)
class Link:
    """A cell with a link."""

    text: str
    address: str


@dataclass(frozen=True, slots=True)
class ReportTable:
    """A table of the report: a title, headings and rows of cells, with an optional note above it."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str | Progress | Link]]
    note: str = ""

    @property
    def number_columns(self) -> frozenset[int]:
        """The columns that hold numbers alone; they are aligned to the right."""
        return frozenset(
            column
            for column in range(1, len(self.headings))
            if all(_is_number(row[column]) for row in self.rows)
        )


def _is_number(cell: str | Progress | Link) -> bool:
    return isinstance(cell, str) and bool(_NUMBER.fullmatch(cell))


@dataclass(frozen=True, slots=True)
class ReportNames:
    """The names to show in place of keys; what has none is shown by its key.

    Attributes:
        projects: titles by key.
        annotators: names by user id, as text.
    """

    projects: Mapping[str, str] = field(default_factory=dict)
    annotators: Mapping[str, str] = field(default_factory=dict)

    def name_group(self, key: str, value: str) -> str:
        """Return the name of a value of a key of `GROUP_KEYS`."""
        if key == "project":
            return self.name_project(value)
        return self.annotators.get(value, value) if key == "annotator" else value

    def name_project(self, key: str) -> str:
        """Return a project's title and its number in Label Studio."""
        number = key.split(".")[0]
        return f"{self.projects[key]} ({number})" if key in self.projects else f"project {number}"
