"""What of a dataset could not be used, as the commands tell it: a line a reason."""

from collections.abc import Iterable

from ris.cli.console import console
from ris.datasets.entry import Defect


def print_defects(defects: Iterable[Defect]) -> None:
    """Print how many parts share a reason, the first of them, and what became of them."""
    groups: dict[tuple[str, str], list[str]] = {}
    for defect in defects:
        groups.setdefault((defect.outcome, defect.reason), []).append(defect.what)
    for (outcome, reason), parts in groups.items():
        first = parts[0] if len(parts) == 1 else f"the first is {parts[0]}"
        console.print(f"{outcome}: {len(parts)} ({first}): {reason}", markup=False)
