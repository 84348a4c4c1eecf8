"""The tasks that were settled, with the answers that people disagreed on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from ris.core.types import Correction, Task, Verdict
from ris.store.adjudications import Adjudication, to_adjudication
from ris.store.history import to_corrections
from ris.store.schema import AdjudicationRow, CorrectionRow

_TASKS_PER_PAGE = 200


@dataclass(frozen=True, slots=True)
class SettledTask:
    """A task with the answer that settled it, and the answers that people had given to it.

    Attributes:
        adjudication: the task that was shown, and what it settles.
        outcome: the newest answer to it that is not skipped.
        answers: the versions of answers that were offered, in the order of the alternatives.
    """

    adjudication: Adjudication
    outcome: Correction
    answers: tuple[tuple[Correction, ...], ...]

    @property
    def taken(self) -> tuple[Correction, ...]:
        """The answers whose mask was taken as it is; empty if none was."""
        rank = self.outcome.rank if self.outcome.verdict is Verdict.ACCEPTED else None
        return next((own for place, own in enumerate(self.answers) if place == rank), ())


def read_settled_tasks(session: Session, project: str) -> Iterator[SettledTask]:
    """Yield the settled tasks of a project of adjudications, by task; 200 in each query.

    Args:
        session: of the database.
        project: key of the project whose answers settle tasks of another one.
    """
    after = -1
    while page := session.scalars(
        select(AdjudicationRow)
        .where(AdjudicationRow.project == project, AdjudicationRow.task_id > after)
        .order_by(AdjudicationRow.task_id)
        .limit(_TASKS_PER_PAGE)
    ).all():
        yield from _read_settled(session, [to_adjudication(row) for row in page])
        after = page[-1].task_id


def _read_settled(session: Session, page: Sequence[Adjudication]) -> Iterator[SettledTask]:
    by_task = {one.task: one for one in page}
    row = CorrectionRow
    query = select(row).where(
        row.is_current, row.project == page[0].project, row.task_id.in_([one.task_id for one in page]),
        row.verdict != Verdict.SKIPPED.value,
    )  # fmt: skip
    newest: dict[Task, Correction] = {}
    found = session.scalars(query.order_by(row.task_id, row.updated_at, row.id)).all()
    for outcome in to_corrections(found):
        if outcome.annotation.task in by_task:
            newest[outcome.annotation.task] = outcome
    settled = [by_task[task] for task in newest]
    wanted = {i for one in settled for offered in one.alternatives for i in offered.answers}
    rows = session.scalars(select(row).where(row.id.in_(wanted))).all() if wanted else []
    answers = {one.id: correction for one, correction in zip(rows, to_corrections(rows), strict=True)}
    for one in settled:
        offered = tuple(tuple(answers[i] for i in own.answers if i in answers) for own in one.alternatives)
        yield SettledTask(one, newest[one.task], offered)
