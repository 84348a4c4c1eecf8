"""The console that all commands print to, and the progress bar of long runs."""

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

console = Console(highlight=False, soft_wrap=True)


def make_rate_progress(to: Console) -> Progress:
    """Make a progress bar whose tasks have a field `rate`: a text, e.g. "2.10 images/s"."""
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"), TimeRemainingColumn(), console=to,
    )  # fmt: skip
