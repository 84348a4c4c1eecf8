"""Answers that could not be understood: written down by cause, settled by what comes later."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update
from sqlalchemy.orm import Session

from ris.store.inbox import check_events
from ris.store.schema import CorrectionRow, DeletionRow, EventRow, FailureRow


@dataclass(frozen=True, slots=True)
class FailedAnswer:
    """One answer, or one event, that could not be understood.

    Attributes:
        event: the number of the event that brought it.
        cause: the name of its cause.
        sentence: what exactly is wrong.
        project, task_id, annotation_id, updated_at: which version of which answer; None where the whole
            event failed.
    """

    event: int
    cause: str
    sentence: str
    project: str | None = None
    task_id: int | None = None
    annotation_id: int | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """The failures of one cause: how many there are, and the newest."""

    cause: str
    n_answers: int
    newest: FailedAnswer


def replace_failures(
    session: Session, event: int, failures: Sequence[FailedAnswer], *, now: datetime
) -> list[FailedAnswer]:
    """Make these the failures of an event, and return those that are open.

    A failure is not open, and not written down, where its answer was understood in this version or a later
    one, is gone, or failed in a later version. One that is open settles the others of its answer: an answer
    has one failure, whatever the number of its versions and of the events that brought them.
    """
    session.execute(delete(FailureRow).where(FailureRow.event == event))
    return [one for one in failures if _add_failure(session, one, now)]


def _add_failure(session: Session, one: FailedAnswer, now: datetime) -> bool:
    if one.annotation_id is not None:
        if session.scalar(select(or_(_is_understood(one), _is_gone(one), _is_outdated(one)))):
            return False
        others = delete(FailureRow).where(_is_same_answer(one))
        _close_events(session, set(session.scalars(others.returning(FailureRow.event))), now)
    session.add(
        FailureRow(
            event=one.event, cause=one.cause, sentence=one.sentence, project=one.project,
            task_id=one.task_id, annotation_id=one.annotation_id, updated_at=one.updated_at,
        )
    )  # fmt: skip
    session.flush()
    return True


def _is_same_answer(one: FailedAnswer) -> ColumnElement[bool]:
    return and_(FailureRow.project == one.project, FailureRow.annotation_id == one.annotation_id)


def _is_outdated(one: FailedAnswer) -> ColumnElement[bool]:
    later = select(FailureRow.id).where(_is_same_answer(one), FailureRow.updated_at > one.updated_at)
    return later.exists()


def _is_understood(one: FailedAnswer) -> ColumnElement[bool]:
    row = CorrectionRow
    understood = select(row.id).where(
        row.project == one.project, row.annotation_id == one.annotation_id, row.updated_at >= one.updated_at
    )
    return understood.exists()


def _is_gone(one: FailedAnswer) -> ColumnElement[bool]:
    annotation = and_(DeletionRow.kind == "annotation", DeletionRow.gone_id == one.annotation_id)
    task = and_(DeletionRow.kind == "task", DeletionRow.gone_id == one.task_id)
    return select(DeletionRow.id).where(DeletionRow.project == one.project, or_(annotation, task)).exists()


def resolve_failures(
    session: Session, project: str, annotation_id: int, *, until: datetime, besides: int, now: datetime
) -> None:
    """Take back the failures of an answer that was understood later.

    Args:
        until: the time of the version that was understood; failures of later versions stay.
        besides: the event that brought it; its other failures stay.
    """
    settled = delete(FailureRow).where(
        FailureRow.project == project, FailureRow.annotation_id == annotation_id,
        FailureRow.updated_at <= until, FailureRow.event != besides,
    )  # fmt: skip
    _close_events(session, set(session.scalars(settled.returning(FailureRow.event))), now)


def resolve_failures_of_deleted(
    session: Session,
    project: str,
    *,
    annotation_ids: Collection[int] = (),
    task_ids: Collection[int] = (),
    now: datetime,
) -> None:
    """Take back the failures of answers that are gone."""
    if not annotation_ids and not task_ids:
        return
    is_gone = or_(FailureRow.annotation_id.in_(annotation_ids), FailureRow.task_id.in_(task_ids))
    settled = delete(FailureRow).where(FailureRow.project == project, is_gone)
    _close_events(session, set(session.scalars(settled.returning(FailureRow.event))), now)


def dismiss_failures(session: Session, events: Collection[int], *, now: datetime) -> int:
    """Take events off the list of what is not understood, because a person says so; how many there were.

    An older decision of such an answer counts again.

    Raises:
        InputError: there is no such event; nothing is changed.
    """
    check_events(session, events)
    gone = delete(FailureRow).where(FailureRow.event.in_(events)).returning(FailureRow.event)
    dismissed = set(session.scalars(gone))
    _close_events(session, dismissed, now)
    return len(dismissed)


def _close_events(session: Session, events: Collection[int], now: datetime) -> None:
    """Events without failures left are done."""
    if not events:
        return
    is_open = select(FailureRow.id).where(FailureRow.event == EventRow.id).exists()
    session.execute(
        update(EventRow)
        .where(EventRow.id.in_(events), ~is_open)
        .values(state="done", error=None, processed_at=now)
        .execution_options(synchronize_session=False)
    )


def find_failed_annotation_ids(session: Session, project: str) -> set[int]:
    """The answers of a project that are not understood now."""
    ids = select(FailureRow.annotation_id).where(
        FailureRow.project == project, FailureRow.annotation_id.is_not(None)
    )
    return {number for number in session.scalars(ids) if number is not None}


def group_failures(session: Session) -> list[FailureGroup]:
    """The failures by cause, the most frequent cause first."""
    counted = session.execute(
        select(FailureRow.cause, func.count(), func.max(FailureRow.id)).group_by(FailureRow.cause)
    ).all()
    newest = {row.id: row for row in _load_failure_rows(session, [number for _, _, number in counted])}
    groups = [FailureGroup(cause, n, _to_failed_answer(newest[number])) for cause, n, number in counted]
    return sorted(groups, key=lambda group: (-group.n_answers, group.cause))


def find_newest_failures(session: Session, cause: str, *, most: int) -> list[FailedAnswer]:
    """The newest failures of a cause, newest first."""
    rows = select(FailureRow).where(FailureRow.cause == cause).order_by(FailureRow.id.desc()).limit(most)
    return [_to_failed_answer(row) for row in session.scalars(rows)]


def count_failures(session: Session, *, project: str | None = None) -> int:
    """How many answers are not understood now: of one project, or of all, whole events among them."""
    query = select(func.count()).select_from(FailureRow)
    if project is not None:
        query = query.where(FailureRow.project == project)
    return session.scalar(query) or 0


def _load_failure_rows(session: Session, numbers: Collection[int]) -> Sequence[FailureRow]:
    return session.scalars(select(FailureRow).where(FailureRow.id.in_(numbers))).all()


def _to_failed_answer(row: FailureRow) -> FailedAnswer:
    return FailedAnswer(
        row.event, row.cause, row.sentence, row.project, row.task_id, row.annotation_id, row.updated_at
    )
