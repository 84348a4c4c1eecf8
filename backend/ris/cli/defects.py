"""Print the parts of a dataset that could not be used, one line per reason."""

from collections.abc import Iterable

from ris.cli.console import console
from ris.datasets.entry import Defect


def print_defects(defects: Iterable[Defect]) -> None:
    """Print, for each reason, the outcome, the number of parts and the first of them."""
    groups: dict[tuple[str, str], list[str]] = {}
    for defect in defects:
        groups.setdefault((defect.outcome, defect.reason), []).append(defect.what)
    for (outcome, reason), parts in groups.items():
        first = parts[0] if len(parts) == 1 else f"the first is {parts[0]}"
        console.print(f"{outcome}: {len(parts)} ({first}): {reason}", markup=False)
