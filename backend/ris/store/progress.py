"""Count the current decisions for the page of the lead: from the tallies, so without reading them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ris.core.types import Verdict
from ris.store.current import UNKNOWN
from ris.store.filters import DecisionFilter
from ris.store.schema import TallyRow


@dataclass(frozen=True, slots=True)
class DayCount:
    """The number of decisions of one project on one day in UTC."""

    project: str
    day: date
    n_decisions: int


def count_verdicts(session: Session, chosen: DecisionFilter) -> dict[Verdict, int]:
    """Return the number of decisions by verdict; verdicts without a decision are left out."""
    n_decisions = func.sum(TallyRow.n_decisions)
    query = select(TallyRow.verdict, n_decisions).where(*chosen.make_tally_conditions())
    query = query.group_by(TallyRow.verdict).having(n_decisions > 0)
    rows = session.execute(query.order_by(TallyRow.verdict))
    return {Verdict(verdict): int(n) for verdict, n in rows}


def count_by_project(session: Session, chosen: DecisionFilter) -> dict[str, tuple[int, date]]:
    """Return, by project, the number of decisions and the day of the last one."""
    n_decisions = func.sum(TallyRow.n_decisions)
    query = select(TallyRow.project, n_decisions, func.max(TallyRow.day))
    query = query.where(TallyRow.n_decisions > 0, *chosen.make_tally_conditions())
    rows = session.execute(query.group_by(TallyRow.project).order_by(TallyRow.project))
    return {project: (int(n), day) for project, n, day in rows}


def count_by_day(session: Session, chosen: DecisionFilter, *, n_days: int) -> Sequence[DayCount]:
    """Return the number of decisions by project and day, for the last days that have one, newest first."""
    conditions = [TallyRow.n_decisions > 0, *chosen.make_tally_conditions()]
    days = select(TallyRow.day).where(*conditions).distinct().order_by(TallyRow.day.desc()).limit(n_days)
    query = select(TallyRow.project, TallyRow.day, func.sum(TallyRow.n_decisions)).where(
        TallyRow.day.in_(list(session.scalars(days))), *conditions
    )
    rows = session.execute(
        query.group_by(TallyRow.project, TallyRow.day).order_by(TallyRow.day.desc(), TallyRow.project)
    )
    return [DayCount(project, day, int(n)) for project, day, n in rows]


def find_annotators(session: Session) -> list[int]:
    """Return the ids of all annotators with a decision, in order."""
    query = select(TallyRow.annotator).where(TallyRow.n_decisions > 0, TallyRow.annotator != UNKNOWN)
    return list(session.scalars(query.distinct().order_by(TallyRow.annotator)))
