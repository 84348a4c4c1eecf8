"""Print the parts of a dataset that could not be used, one line per reason."""

from collections import Counter
from collections.abc import Iterable

from ris.cli.console import console
from ris.datasets.entry import Defect


class DefectCounter:
    """Counts defects by their reason; however many there are, only the first of each reason is kept.

    Attributes:
        first: the first defect of any reason; None without one.
    """

    def __init__(self) -> None:
        self.first: Defect | None = None
        self._n_parts = Counter[tuple[str, str]]()
        self._first_parts: dict[tuple[str, str], str] = {}

    def add(self, defect: Defect) -> None:
        """Count a defect."""
        self.first = self.first or defect
        reason = defect.outcome, defect.reason
        self._n_parts[reason] += 1
        self._first_parts.setdefault(reason, defect.what)

    def print(self) -> None:
        """Print, for each reason, the outcome, the number of parts and the first of them."""
        for (outcome, reason), count in self._n_parts.items():
            what = self._first_parts[outcome, reason]
            first = what if count == 1 else f"the first is {what}"
            console.print(f"{outcome}: {count} ({first}): {reason}", markup=False)


def print_defects(defects: Iterable[Defect]) -> None:
    """Print, for each reason, the outcome, the number of parts and the first of them."""
    counter = DefectCounter()
    for defect in defects:
        counter.add(defect)
    counter.print()
