"""What commands print: sentences, progress bars and tables; the tables also as JSON.

`--json` and `--quiet` act here, for all commands alike. With `--json` the standard output holds one JSON
object, and everything else goes to the standard error.
"""

import json
import re
import sys
from collections.abc import Sequence
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from ris.errors import InputError

Cell = str | int | float | None

_NOT_WORD = re.compile(r"[^a-z0-9.]+")
_ENOUGH_COLUMNS = 1_000_000  # no table is as wide


class ResultTable(Table):
    """A table that is printed for a person or as JSON, and never cut.

    Attributes:
        name: key of its rows in the JSON.
        keys: key of each column in the JSON.
        records: the rows.
    """

    def __init__(self, name: str, keys: Sequence[str], title: str | None) -> None:
        super().__init__(title=title)
        self.name, self.keys = name, tuple(keys)
        self.records: list[dict[str, Cell]] = []

    def add_row(self, *cells: Any, **style: Any) -> None:
        """Add a row. Numbers stay numbers in the JSON; None is null there, and "-" for a person."""
        self.records.append(dict(zip(self.keys, cells, strict=False)))  # a short row has empty cells
        super().add_row(*("-" if cell is None else str(cell) for cell in cells), **style)


class CommandConsole(Console):
    """The console of a command. It prints tables whole, also into a pipe, and collects them for `--json`."""

    def __init__(self) -> None:
        super().__init__(highlight=False, soft_wrap=True)
        self._collected: dict[str, list[dict[str, Cell]]] | None = None

    def start_output(self, *, as_json: bool, is_quiet: bool) -> None:
        """Start the output of a command. Forgets what an earlier command of this process chose.

        Args:
            as_json: collect tables for `print_json_document`, and print all else to the standard error.
            is_quiet: print tables alone.
        """
        self._collected = {} if as_json else None
        self.stderr, self.quiet = as_json, is_quiet

    def print_json_document(self) -> None:
        """Print the collected tables as one JSON object: by a table's name, its rows."""
        if self._collected is not None:
            typer.echo(json.dumps(self._collected, ensure_ascii=False, indent=1))
            self._collected = None

    def print(self, *objects: Any, **options: Any) -> None:
        """Print sentences or one table."""
        if len(objects) == 1 and isinstance(objects[0], ResultTable):
            self._print_table(objects[0])
        else:
            super().print(*objects, **options)

    def _print_table(self, table: ResultTable) -> None:
        if self._collected is not None:
            self._collected.setdefault(table.name, []).extend(table.records)
            return
        if self.is_terminal:
            whole = Console(file=self.file, width=self.width, highlight=False)
        else:  # no line of a table is broken for a program that reads it, nor its title
            whole = Console(file=self.file, width=_ENOUGH_COLUMNS, highlight=False)
            if table.title:
                whole.print(table.title, markup=False)
                table.title = None
        whole.print(table, markup=False)


console = CommandConsole()


def confirm_change(question: str) -> None:
    """Ask before something is changed or downloaded, and stop unless the answer is yes.

    Raises:
        InputError: the answer is no, or nobody can be asked.
    """
    if not sys.stdin.isatty():
        raise InputError(f"{question} Nobody can be asked here: run it again with --yes, or in a terminal")
    if not typer.confirm(question, err=True):
        raise InputError("nothing was changed")


def make_table(
    *headings: str,
    title: str | None = None,
    numbers: bool = False,
    name: str = "rows",
    keys: Sequence[str] | None = None,
) -> ResultTable:
    """Make a table that shows every cell whole: what is too wide for a terminal continues on the next line.

    Args:
        *headings: one per column.
        title: printed above the table.
        numbers: align all columns but the first to the right.
        name: key of the table in the JSON of `--json`.
        keys: keys of the columns there; by default the headings in snake case.
    """
    table = ResultTable(name, keys or [make_column_key(heading) for heading in headings], title)
    for number, heading in enumerate(headings):
        table.add_column(heading, overflow="fold", justify="right" if numbers and number else "left")
    return table


def make_column_key(heading: str) -> str:
    """Make the key of a column: "box x1 y1" is "box_x1_y1", and "" is "what"."""
    return _NOT_WORD.sub("_", heading.lower()).strip("_") or "what"


def make_rate_progress(to: Console) -> Progress:
    """Make a progress bar whose tasks have a field `rate`: a text, e.g. "2.10 images/s"."""
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"), TimeRemainingColumn(), console=to,
    )  # fmt: skip


def make_bar(to: Console) -> Progress:
    """Make a progress bar with the number of items done, the number of all, and the time left."""
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=to
    )
