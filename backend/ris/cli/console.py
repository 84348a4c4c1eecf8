"""The console that all commands print to, and the progress bar of long runs."""

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

console = Console(highlight=False, soft_wrap=True)


def make_table(*headings: str, title: str | None = None, numbers: bool = False) -> Table:
    """Make a table that shows every cell whole: what is too wide continues on the next line.

    Args:
        *headings: one per column.
        title: printed above the table.
        numbers: align all columns but the first to the right.
    """
    table = Table(title=title)
    for number, heading in enumerate(headings):
        table.add_column(heading, overflow="fold", justify="right" if numbers and number else "left")
    return table


def make_rate_progress(to: Console) -> Progress:
    """Make a progress bar whose tasks have a field `rate`: a text, e.g. "2.10 images/s"."""
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"), TimeRemainingColumn(), console=to,
    )  # fmt: skip
