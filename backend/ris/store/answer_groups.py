"""Read the tasks that several people answered, a page at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, func, select, tuple_
from sqlalchemy.orm import Session

from ris.core.decision import get_image_key
from ris.core.rle import RLE
from ris.core.types import Task, Verdict
from ris.store.filters import make_task_condition
from ris.store.known_images import find_answer_images
from ris.store.records import masks_from_strings
from ris.store.schema import CorrectionRow

_TASKS_PER_PAGE = 200


@dataclass(frozen=True, slots=True)
class PersonAnswer:
    """The current answer of one person.

    Attributes:
        annotator: Label Studio's user id.
        verdict: what the person did.
        mask: of the referent; None without one.
        row_id: of the answer's version in SQL; 0 when it is not stored.
    """

    annotator: int
    verdict: Verdict
    mask: RLE | None
    row_id: int = 0


@dataclass(frozen=True, slots=True)
class AnswerGroup:
    """The answers of several people to one expression of one task.

    Attributes:
        task: the task.
        image: key of its image, see `ris.core.decision.JudgedAnswer`.
        answers: one of each person, by the person's number; at least two.
    """

    task: Task
    image: tuple[str, str]
    answers: tuple[PersonAnswer, ...]


def read_answer_groups(session: Session, *, project: str | None = None) -> Iterator[AnswerGroup]:
    """Yield the tasks that at least two people answered, by project and task.

    Only these tasks are read, 200 in each query; which ones they are is read from an index. Of a person's
    several answers to one task the newest counts. Answers whose author is unknown are left out, because two
    of them can be of one person.

    Args:
        session: of the database.
        project: its key; None reads all projects.
    """
    after: tuple[str, int] | None = None
    while page := _find_tasks_after(session, project, after):
        yield from _read_groups(session, page)
        after = page[-1]


def _find_tasks_after(
    session: Session, project: str | None, after: tuple[str, int] | None
) -> list[tuple[str, int]]:
    row = CorrectionRow
    query = select(row.project, row.task_id).where(row.is_current)
    if project is not None:
        query = query.where(row.project == project)
    if after is not None:
        query = query.where(tuple_(row.project, row.task_id) > tuple_(*after))
    query = query.group_by(row.project, row.task_id).having(func.count() > 1)
    found = session.execute(query.order_by(row.project, row.task_id).limit(_TASKS_PER_PAGE))
    return [(key, number) for key, number in found]


def _read_groups(session: Session, tasks: Sequence[tuple[str, int]]) -> Iterator[AnswerGroup]:
    row = CorrectionRow
    columns = (
        row.id, row.project, row.task_id, row.image_url, row.expression, row.updated_at, row.annotator,
        row.verdict, row.counts, row.height, row.width,
    )  # fmt: skip
    query: Any = (
        select(*columns)
        .where(
            row.is_current, row.annotator.is_not(None), make_task_condition(row.project, row.task_id, tasks)
        )
        .order_by(row.project, row.task_id, row.updated_at, row.id)
    )
    newest: dict[tuple[str, int, str, str], dict[int | None, Row[Any]]] = {}
    for answer in session.execute(query).all():
        asked = (answer.project, answer.task_id, answer.image_url, answer.expression)
        newest.setdefault(asked, {})[answer.annotator] = answer
    groups = [list(by_person.values()) for by_person in newest.values() if len(by_person) > 1]
    for group, image in zip(groups, _find_images(session, groups), strict=True):
        answers = sorted(_to_person_answers(group), key=lambda one: one.annotator)
        yield AnswerGroup(_to_task(group[0]), image, tuple(answers))


def _find_images(session: Session, groups: Sequence[Sequence[Row[Any]]]) -> list[tuple[str, str]]:
    """Return the key of the image of each group: of its first answer with a mask, or its first one."""
    shown = [next((one for one in group if _has_mask(one)), group[0]) for group in groups]
    tasks = [_to_task(one) for one in shown]
    sizes = [(one.height, one.width) if _has_mask(one) else None for one in shown]
    images = find_answer_images(session, tasks, sizes, [one.updated_at for one in shown])
    return [get_image_key(t, image.digest if image else None) for t, image in zip(tasks, images, strict=True)]


def _to_task(row: Row[Any]) -> Task:
    return Task(row.task_id, row.project, row.image_url, row.expression)


def _has_mask(row: Row[Any]) -> bool:
    return row.counts is not None and Verdict(row.verdict).has_mask


def _to_person_answers(rows: Sequence[Row[Any]]) -> list[PersonAnswer]:
    masks = iter(masks_from_strings([(row.counts, row.height, row.width) for row in rows if _has_mask(row)]))
    return [
        PersonAnswer(row.annotator, Verdict(row.verdict), next(masks) if _has_mask(row) else None, row.id)
        for row in rows
    ]
