"""The outbox: predictions that Label Studio asked for and is not known to have. All take a session.

Whoever is about to write a task's predictions into Label Studio, by any way, first holds them here. A hold
ends by itself, so that one whose holder died is given to the next, who looks in Label Studio first.
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
    """What is owed.

    Attributes:
        carried_expression: carried over from another image and written with the predictions, or "".
        attempts: how often its image could not be fetched.
        label_config: of its project, as /setup told it last; "" when it never did.
    """

    task: Task
    version: str
    carried_expression: str
    attempts: int
    label_config: str


def add_deliveries(session: Session, tasks: Sequence[tuple[Task, str]], version: str) -> None:
    """Remember that Label Studio asked for predictions of tasks; holds stay as they are.

    Args:
        tasks: each with the words that are written too, or "".
    """
    for task, words in sorted(tasks, key=lambda each: _get_lock_order(each[0])):
        values = {"image_url": task.image_url, "expression": task.expression, "words": words}
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
    """Whether each task's predictions may be written by the caller alone, until then.

    One that somebody else holds is not given. Atomic, also among processes.
    """
    given = {
        task: _hold_task(session, task, version, now, until) for task in sorted(tasks, key=_get_lock_order)
    }
    return [given[task] for task in tasks]


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
    """They are in Label Studio, or never will be: nothing is owed."""
    for task in sorted(tasks, key=_get_lock_order):
        session.execute(delete(DeliveryRow).where(_is_delivery_of(task, version)))


def postpone_delivery(session: Session, task: Task, version: str, *, until: datetime) -> None:
    """Its image could not be fetched: try again then."""
    values: dict[str, Any] = {"held_until": until, "attempts": DeliveryRow.attempts + 1}
    session.execute(update(DeliveryRow).where(_is_delivery_of(task, version)).values(**values))


def find_due_deliveries(session: Session, *, now: datetime, limit: int = 100) -> list[Delivery]:
    """Those whose hold has ended, oldest first: a writer died, did not hear back, or is to look again."""
    return _read_deliveries(session, DeliveryRow.held_until <= now, limit)


def find_interrupted_deliveries(session: Session) -> list[Delivery]:
    """All that were never held: what a process that is no more was computing, when read at the start."""
    return _read_deliveries(session, DeliveryRow.held_until.is_(None), None)


def count_deliveries(session: Session) -> int:
    """How many tasks' predictions are owed."""
    return session.scalar(select(func.count()).select_from(DeliveryRow)) or 0


def count_attempts(session: Session, task: Task, version: str) -> int:
    """How often its image could not be fetched."""
    return session.scalar(select(DeliveryRow.attempts).where(_is_delivery_of(task, version))) or 0


def _read_deliveries(session: Session, which: ColumnElement[bool], limit: int | None) -> list[Delivery]:
    rows = session.execute(
        select(DeliveryRow, ProjectRow.label_config)
        .outerjoin(ProjectRow, ProjectRow.key == DeliveryRow.project)
        .where(which)
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
    """Everybody takes rows in this order: two transactions that wait for each other would both be lost."""
    return task.project, task.task_id


def _is_delivery_of(task: Task, version: str) -> ColumnElement[bool]:
    return and_(
        DeliveryRow.project == task.project,
        DeliveryRow.task_id == task.task_id,
        DeliveryRow.version == version,
    )


def find_min_alternatives(session: Session, project: str) -> int:
    """The fewest alternatives that any task of a project was offered under a version; 1 where none was."""
    sizes = (
        select(func.count().label("size"))
        .select_from(SuggestionRow)
        .join(TaskRow, TaskRow.id == SuggestionRow.task)
        .where(TaskRow.project == project)
        .group_by(TaskRow.id)
        .subquery()
    )
    return session.scalar(select(func.min(sizes.c.size))) or 1
