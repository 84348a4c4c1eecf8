"""The outbox: predictions that Label Studio requested and is not known to have.

Every writer of a task's predictions holds the task here first. A hold expires, so that another writer can
take over from one that died; it looks into Label Studio before it writes.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update

from ris.core.types import Task
from ris.store.records import add_once
from ris.store.schema import DeliveryRow, ProjectRow, SuggestionRow, TaskRow
from ris.store.session import Session


@dataclass(frozen=True, slots=True)
class Delivery:
    """Predictions that are to be written into Label Studio.

    Attributes:
        task: the task.
        version: of the predictions.
        carried_expression: carried over from another image and written with the predictions, or "".
        attempts: the number of failed fetches of its image.
        label_config: of its project, from the last /setup; "" without one.
    """

    task: Task
    version: str
    carried_expression: str
    attempts: int
    label_config: str


def add_deliveries(session: Session, tasks: Sequence[tuple[Task, str]], version: str) -> None:
    """Store that Label Studio requested predictions of these tasks; holds stay as they are.

    Args:
        session: of the database.
        tasks: each with its carried expression, or "".
        version: of the predictions.
    """
    for task, carried in sorted(tasks, key=lambda pair: _get_lock_order(pair[0])):
        values = {"image_url": task.image_url, "expression": task.expression, "words": carried}
        is_new = add_once(
            session, DeliveryRow, project=task.project, task_id=task.task_id, version=version,
            held_until=None, attempts=0, **values,
        )  # fmt: skip
        if not is_new:
            session.execute(
                update(DeliveryRow).where(_is_delivery_of(task, version)).values(attempts=0, **values)
            )


def hold_tasks(
    session: Session, tasks: Sequence[Task], version: str, *, now: datetime, until: datetime
) -> list[bool]:
    """Hold tasks for the caller, and return for each whether that succeeded.

    It fails for a task that another writer holds. It is atomic, also among processes.

    Args:
        session: of the database.
        tasks: of any project.
        version: of the predictions.
        now: the time, in UTC.
        until: when the holds expire.
    """
    is_held = {
        task: _hold_task(session, task, version, now, until) for task in sorted(tasks, key=_get_lock_order)
    }
    return [is_held[task] for task in tasks]


def _hold_task(session: Session, task: Task, version: str, now: datetime, until: datetime) -> bool:
    is_new = add_once(
        session, DeliveryRow, project=task.project, task_id=task.task_id, version=version,
        image_url=task.image_url, expression=task.expression, words="", held_until=until, attempts=0,
    )  # fmt: skip
    if is_new:
        return True
    is_free = or_(DeliveryRow.held_until.is_(None), DeliveryRow.held_until <= now)
    taken = session.execute(
        update(DeliveryRow)
        .where(_is_delivery_of(task, version), is_free)
        .values(held_until=until)
        .returning(DeliveryRow.id)
    )
    return taken.first() is not None


def remove_deliveries(session: Session, tasks: Collection[Task], version: str) -> None:
    """Remove the deliveries of tasks whose predictions are stored, or cannot be."""
    for task in sorted(tasks, key=_get_lock_order):
        session.execute(delete(DeliveryRow).where(_is_delivery_of(task, version)))


def postpone_delivery(session: Session, task: Task, version: str, *, until: datetime) -> None:
    """Hold a delivery whose image could not be fetched until the next attempt."""
    values: dict[str, Any] = {"held_until": until, "attempts": DeliveryRow.attempts + 1}
    session.execute(update(DeliveryRow).where(_is_delivery_of(task, version)).values(**values))


def find_due_deliveries(session: Session, *, now: datetime, limit: int = 100) -> list[Delivery]:
    """Return the deliveries whose hold has expired, oldest first."""
    return _read_deliveries(session, DeliveryRow.held_until <= now, limit)


def find_interrupted_deliveries(session: Session) -> list[Delivery]:
    """Return the deliveries that were never held: at the start, those that an earlier process computed."""
    return _read_deliveries(session, DeliveryRow.held_until.is_(None), None)


def count_deliveries(session: Session) -> int:
    """Return the number of deliveries."""
    return session.scalar(select(func.count()).select_from(DeliveryRow)) or 0


def count_attempts(session: Session, task: Task, version: str) -> int:
    """Return the number of failed fetches of a delivery's image."""
    return session.scalar(select(DeliveryRow.attempts).where(_is_delivery_of(task, version))) or 0


def _read_deliveries(session: Session, condition: ColumnElement[bool], limit: int | None) -> list[Delivery]:
    rows = session.execute(
        select(DeliveryRow, ProjectRow.label_config)
        .outerjoin(ProjectRow, ProjectRow.key == DeliveryRow.project)
        .where(condition)
        .order_by(DeliveryRow.id)
        .limit(limit)
    )
    return [
        Delivery(
            Task(row.task_id, row.project, row.image_url, row.expression),
            row.version,
            row.words,
            row.attempts,
            label_config or "",
        )
        for row, label_config in rows
    ]


def _get_lock_order(task: Task) -> tuple[str, int]:
    """Return the sort key in which all writers lock rows, so that no two wait for each other."""
    return task.project, task.task_id


def _is_delivery_of(task: Task, version: str) -> ColumnElement[bool]:
    return and_(
        DeliveryRow.project == task.project,
        DeliveryRow.task_id == task.task_id,
        DeliveryRow.version == version,
    )


def find_min_alternatives(session: Session, project: str) -> int:
    """Return the smallest number of alternatives of any task of a project; 1 without alternatives."""
    sizes = (
        select(func.count().label("size"))
        .select_from(SuggestionRow)
        .join(TaskRow, TaskRow.id == SuggestionRow.task)
        .where(TaskRow.project == project)
        .group_by(TaskRow.id)
        .subquery()
    )
    return session.scalar(select(func.min(sizes.c.size))) or 1
