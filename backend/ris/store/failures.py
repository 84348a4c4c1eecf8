"""The failures: answers that cannot be read, by cause, until a later event resolves them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update
from sqlalchemy.orm import Session

from ris.redaction.text import redact_text
from ris.store.current import refresh_current
from ris.store.inbox import check_events
from ris.store.schema import CorrectionRow, DeletionRow, EventRow, FailureRow


@dataclass(frozen=True, slots=True)
class FailedAnswer:
    """One answer, or one event, that cannot be read.

    Attributes:
        event: the number of the event that brought it.
        cause: the name of its cause.
        sentence: what is wrong, as a sentence.
        project: the project's key; like the next three, None when the whole event failed.
        task_id: the task.
        annotation_id: the annotation.
        updated_at: the version of the annotation.
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
    """The failures of one cause: their number, and the newest."""

    cause: str
    n_answers: int
    newest: FailedAnswer


def replace_failures(
    session: Session, event: int, failures: Sequence[FailedAnswer], *, now: datetime
) -> list[FailedAnswer]:
    """Replace the failures of an event, and return the open ones.

    A failure is open, and stored, unless its answer was read in this version or a later one, is deleted, or
    failed in a later version. An open failure removes the other failures of its answer, so that an answer has
    at most one.

    Args:
        session: of the database.
        event: its number.
        failures: of the event.
        now: the time, in UTC.
    """
    _delete_failures(session, FailureRow.event == event)
    return [one for one in failures if _add_failure(session, one, now)]


def _add_failure(session: Session, one: FailedAnswer, now: datetime) -> bool:
    if one.annotation_id is not None:
        if session.scalar(select(or_(_is_read(one), _is_gone(one), _is_outdated(one)))):
            return False
        _close_events(session, _delete_failures(session, _is_same_answer(one)), now)
    session.add(
        FailureRow(
            event=one.event, cause=one.cause, sentence=redact_text(one.sentence), project=one.project,
            task_id=one.task_id, annotation_id=one.annotation_id, updated_at=one.updated_at,
        )
    )  # fmt: skip
    session.flush()
    if one.project is not None and one.annotation_id is not None:
        refresh_current(session, one.project, annotation_ids=[one.annotation_id])
    return True


def _delete_failures(session: Session, *chosen: ColumnElement[bool]) -> set[int]:
    """Delete failures, refresh what counts of their answers, and return the numbers of their events."""
    row = FailureRow
    gone = session.execute(
        delete(row).where(*chosen).returning(row.event, row.project, row.annotation_id)
    ).all()
    answers: dict[str, set[int]] = {}
    for _, project, annotation_id in gone:
        if project is not None and annotation_id is not None:
            answers.setdefault(project, set()).add(annotation_id)
    for project, annotation_ids in answers.items():
        refresh_current(session, project, annotation_ids=annotation_ids)
    return {event for event, _, _ in gone}


def _is_same_answer(one: FailedAnswer) -> ColumnElement[bool]:
    return and_(FailureRow.project == one.project, FailureRow.annotation_id == one.annotation_id)


def _is_outdated(one: FailedAnswer) -> ColumnElement[bool]:
    later = select(FailureRow.id).where(_is_same_answer(one), FailureRow.updated_at > one.updated_at)
    return later.exists()


def _is_read(one: FailedAnswer) -> ColumnElement[bool]:
    row = CorrectionRow
    read = select(row.id).where(
        row.project == one.project, row.annotation_id == one.annotation_id, row.updated_at >= one.updated_at
    )
    return read.exists()


def _is_gone(one: FailedAnswer) -> ColumnElement[bool]:
    annotation = and_(DeletionRow.kind == "annotation", DeletionRow.gone_id == one.annotation_id)
    task = and_(DeletionRow.kind == "task", DeletionRow.gone_id == one.task_id)
    return select(DeletionRow.id).where(DeletionRow.project == one.project, or_(annotation, task)).exists()


def resolve_failures(
    session: Session, project: str, annotation_id: int, *, until: datetime, besides: int, now: datetime
) -> None:
    """Remove the failures of an answer of which a version could be read.

    Args:
        session: of the database.
        project: its key.
        annotation_id: of the answer.
        until: the time of that version; failures of later versions stay.
        besides: the event that brought it; its other failures stay.
        now: the time, in UTC.
    """
    resolved = _delete_failures(
        session, FailureRow.project == project, FailureRow.annotation_id == annotation_id,
        FailureRow.updated_at <= until, FailureRow.event != besides,
    )  # fmt: skip
    _close_events(session, resolved, now)


def resolve_failures_of_deleted(
    session: Session,
    project: str,
    *,
    annotation_ids: Collection[int] = (),
    task_ids: Collection[int] = (),
    now: datetime,
) -> None:
    """Remove the failures of deleted answers."""
    if not annotation_ids and not task_ids:
        return
    is_gone = or_(FailureRow.annotation_id.in_(annotation_ids), FailureRow.task_id.in_(task_ids))
    _close_events(session, _delete_failures(session, FailureRow.project == project, is_gone), now)


def dismiss_failures(session: Session, events: Collection[int], *, now: datetime) -> int:
    """Remove the failures of these events, and return the number of events that had some.

    An older decision of such an answer counts again.

    Args:
        session: of the database.
        events: their numbers.
        now: the time, in UTC.

    Raises:
        InputError: there is no such event; nothing is changed.
    """
    check_events(session, events)
    dismissed = _delete_failures(session, FailureRow.event.in_(events))
    _close_events(session, dismissed, now)
    return len(dismissed)


def _close_events(session: Session, events: Collection[int], now: datetime) -> None:
    """Mark the events without failures as done."""
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
    """Return the annotation ids of a project's failed answers."""
    ids = select(FailureRow.annotation_id).where(
        FailureRow.project == project, FailureRow.annotation_id.is_not(None)
    )
    return {number for number in session.scalars(ids) if number is not None}


def group_failures(session: Session) -> list[FailureGroup]:
    """Return the failures by cause, the most frequent cause first."""
    counted = session.execute(
        select(FailureRow.cause, func.count(), func.max(FailureRow.id)).group_by(FailureRow.cause)
    ).all()
    newest = {row.id: row for row in _load_failure_rows(session, [number for _, _, number in counted])}
    groups = [FailureGroup(cause, n, _to_failed_answer(newest[number])) for cause, n, number in counted]
    return sorted(groups, key=lambda group: (-group.n_answers, group.cause))


def find_newest_failures(session: Session, cause: str, *, most: int) -> list[FailedAnswer]:
    """Return the newest failures of a cause, newest first."""
    rows = select(FailureRow).where(FailureRow.cause == cause).order_by(FailureRow.id.desc()).limit(most)
    return [_to_failed_answer(row) for row in session.scalars(rows)]


def count_failures(session: Session, *, project: str | None = None) -> int:
    """Count the failures: of one project, or all, failed events included."""
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
