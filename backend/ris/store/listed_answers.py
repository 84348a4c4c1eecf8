"""What the record has of the tasks that Label Studio lists, for the sync."""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from ris.store.schema import CorrectionRow, FailureRow

_IDS_PER_QUERY = 500


def find_current_versions(
    session: Session, project: str, annotation_ids: Collection[int]
) -> dict[int, datetime]:
    """Return the times of the versions that count of these annotations, by their ids."""
    found: dict[int, datetime] = {}
    for part in _split(annotation_ids):
        query = _select_decided(project).add_columns(CorrectionRow.updated_at)
        rows = session.execute(query.where(CorrectionRow.annotation_id.in_(part)))
        found.update((annotation_id, at) for annotation_id, at in rows)
    return found


def find_answers_of_tasks(session: Session, project: str, task_ids: Collection[int]) -> set[int]:
    """Return the annotations of these tasks that have a version that counts, or that failed."""
    found: set[int] = set()
    for part in _split(task_ids):
        found.update(session.scalars(_select_decided(project).where(CorrectionRow.task_id.in_(part))))
        found.update(session.scalars(_select_failed(project).where(FailureRow.task_id.in_(part))))
    return found


def find_answers_between(session: Session, project: str, after: int, until: int) -> set[int]:
    """Return the annotations, of the tasks between two, that have a version that counts, or that failed.

    Args:
        session: of the database.
        project: its key.
        after: the tasks have a greater number.
        until: the greatest number of a task.
    """
    decided = _select_decided(project).where(CorrectionRow.task_id > after, CorrectionRow.task_id <= until)
    failed_task = func.coalesce(FailureRow.task_id, 0)  # an odd event may name no task
    failed = _select_failed(project).where(failed_task > after, failed_task <= until)
    return {*session.scalars(decided), *session.scalars(failed)}


def _select_decided(project: str) -> Select[Any]:
    return select(CorrectionRow.annotation_id).where(
        CorrectionRow.project == project, CorrectionRow.is_current
    )


def _select_failed(project: str) -> Select[Any]:
    return select(FailureRow.annotation_id).where(
        FailureRow.project == project, FailureRow.annotation_id.is_not(None)
    )


def _split(numbers: Collection[int]) -> Iterator[list[int]]:
    wanted = sorted(set(numbers))
    for start in range(0, len(wanted), _IDS_PER_QUERY):
        yield wanted[start : start + _IDS_PER_QUERY]
