"""Choose decisions by project, annotator, verdict and day."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, tuple_

from ris.core.types import Verdict
from ris.store.schema import CorrectionRow, TallyRow


@dataclass(frozen=True, slots=True)
class DecisionFilter:
    """The decisions to show; None does not restrict.

    Attributes:
        project: key of a project.
        annotator: Label Studio's user id.
        verdict: the verdict.
        since, until: the first and the last day, in UTC.
    """

    project: str | None = None
    annotator: int | None = None
    verdict: Verdict | None = None
    since: date | None = None
    until: date | None = None

    def make_conditions(self) -> list[ColumnElement[bool]]:
        """Return the conditions on `correction`; only current versions are chosen."""
        chosen: list[ColumnElement[bool]] = [CorrectionRow.is_current.expression]
        if self.project is not None:
            chosen.append(CorrectionRow.project == self.project)
        if self.annotator is not None:
            chosen.append(CorrectionRow.annotator == self.annotator)
        if self.verdict is not None:
            chosen.append(CorrectionRow.verdict == self.verdict.value)
        if self.since is not None:
            chosen.append(CorrectionRow.updated_at >= _start_of(self.since))
        if self.until is not None:
            chosen.append(CorrectionRow.updated_at < _start_of(self.until + timedelta(days=1)))
        return chosen

    def make_tally_conditions(self) -> list[ColumnElement[bool]]:
        """Return the same conditions on `tally`."""
        chosen: list[ColumnElement[bool]] = []
        if self.project is not None:
            chosen.append(TallyRow.project == self.project)
        if self.annotator is not None:
            chosen.append(TallyRow.annotator == self.annotator)
        if self.verdict is not None:
            chosen.append(TallyRow.verdict == self.verdict.value)
        if self.since is not None:
            chosen.append(TallyRow.day >= self.since)
        if self.until is not None:
            chosen.append(TallyRow.day <= self.until)
        return chosen


EVERYTHING = DecisionFilter()


def _start_of(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


def make_task_condition(project: Any, number: Any, tasks: Collection[tuple[str, int]]) -> ColumnElement[bool]:
    """Return the condition by which rows are of some hundred tasks.

    Of the pairs alone SQLite makes no use of an index: it reads it from end to end.

    Args:
        project: the column with the project's key.
        number: the column with the task's number.
        tasks: project and number of each task.
    """
    return and_(
        project.in_(sorted({key for key, _ in tasks})),
        number.in_(sorted({task_id for _, task_id in tasks})),
        tuple_(project, number).in_(sorted(tasks)),
    )
