"""Gold tasks, whose right answer is known, and the answers to them."""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, tuple_
from sqlalchemy.orm import Session

from ris.core import rle
from ris.core.decision import get_image_key
from ris.core.rle import RLE
from ris.core.types import Task, Verdict
from ris.store.filters import make_task_condition
from ris.store.known_images import find_answer_images
from ris.store.records import add_once, masks_from_strings
from ris.store.schema import CorrectionRow, GoldRow

_TASKS_PER_PAGE = 200
_ROWS_PER_PAGE = 1_000
_COLUMNS: tuple[Any, ...] = (
    CorrectionRow.id, CorrectionRow.project, CorrectionRow.task_id, CorrectionRow.image_url,
    CorrectionRow.expression, CorrectionRow.annotator, CorrectionRow.updated_at, CorrectionRow.verdict,
    CorrectionRow.counts, CorrectionRow.height, CorrectionRow.width,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class GoldTask:
    """A task whose right answer is known.

    Attributes:
        task: the task.
        mask: of the referent; None if there is none.
        origin: where the mask comes from, for people.
        author: who made it, and is not scored on it; None when unknown.
    """

    task: Task
    mask: RLE | None
    origin: str
    author: int | None = None


@dataclass(frozen=True, slots=True)
class GoldAnswer:
    """A person's answer to a gold task.

    Attributes:
        task: the task.
        image: key of its image, see `ris.core.decision.JudgedAnswer`.
        annotator: Label Studio's user id.
        mask: that was answered; None for the answer that there is no referent.
        known: the known mask; None if there is no referent.
    """

    task: Task
    image: tuple[str, str]
    annotator: int
    mask: RLE | None
    known: RLE | None


def add_gold_tasks(session: Session, tasks: Sequence[GoldTask], *, now: datetime) -> int:
    """Add gold tasks; those that are there stay as they are. Return how many are new.

    Args:
        session: of the database.
        tasks: the tasks with their masks.
        now: the time, in UTC.
    """
    return sum(
        add_once(
            session, GoldRow, project=one.task.project, task_id=one.task.task_id,
            image_url=one.task.image_url, expression=one.task.expression,
            counts=rle.to_string(one.mask) if one.mask else None,
            height=one.mask.size[0] if one.mask else None, width=one.mask.size[1] if one.mask else None,
            author=one.author, origin=one.origin, added_at=now,
        )
        for one in tasks
    )  # fmt: skip


def find_gold_tasks(session: Session, project: str) -> set[int]:
    """Return the numbers of the gold tasks of a project."""
    return set(session.scalars(select(GoldRow.task_id).where(GoldRow.project == project)))


def find_newest_answers(session: Session, project: str, annotator: int | None) -> Sequence[int]:
    """Return the ids in SQL of the newest answer to each task of a project, by task; 8 bytes each.

    Skipped answers are left out, and tasks without an expression.

    Args:
        session: of the database.
        project: its key.
        annotator: whose answers; None for those of all.
    """
    row = CorrectionRow
    query = select(row.id, row.task_id, row.image_url, row.expression).where(
        row.is_current, row.project == project, row.verdict != Verdict.SKIPPED.value, row.expression != ""
    )
    if annotator is not None:
        query = query.where(row.annotator == annotator)
    query = query.order_by(row.task_id, row.image_url, row.expression, row.updated_at, row.id)
    found = array("q")
    last: tuple[Any, ...] | None = None
    for row_id, *asked in session.execute(query.execution_options(yield_per=_ROWS_PER_PAGE)):
        if tuple(asked) == last:
            found[-1] = row_id
        else:
            found.append(row_id)
        last = tuple(asked)
    return found


def read_gold_answers(session: Session, *, project: str | None = None) -> Iterator[GoldAnswer]:
    """Yield the answers to gold tasks, by project, task and annotator.

    Of a person's several answers to one task the newest counts. Skipped answers, those without an author, and
    those of who made the known mask are left out. Memory does not grow with the record.

    Args:
        session: of the database.
        project: its key; None reads all projects.
    """
    after: tuple[str, int] | None = None
    while page := _find_gold_after(session, project, after):
        yield from _read_answers(session, page)
        after = page[-1].project, page[-1].task_id


def _find_gold_after(
    session: Session, project: str | None, after: tuple[str, int] | None
) -> Sequence[GoldRow]:
    query = select(GoldRow)
    if project is not None:
        query = query.where(GoldRow.project == project)
    if after is not None:
        query = query.where(tuple_(GoldRow.project, GoldRow.task_id) > tuple_(*after))
    return session.scalars(query.order_by(GoldRow.project, GoldRow.task_id).limit(_TASKS_PER_PAGE)).all()


def _read_answers(session: Session, page: Sequence[GoldRow]) -> Iterator[GoldAnswer]:
    """Yield the answers to some gold tasks: two or three queries for all of them."""
    gold = {Task(one.task_id, one.project, one.image_url, one.expression): one for one in page}
    row = CorrectionRow
    query = (
        select(*_COLUMNS)
        .where(
            row.is_current,
            row.annotator.is_not(None),
            row.verdict != Verdict.SKIPPED.value,
            make_task_condition(row.project, row.task_id, [(one.project, one.task_id) for one in page]),
        )
        .order_by(row.project, row.task_id, row.annotator, row.updated_at, row.id)
    )
    newest: dict[tuple[Task, int], Row[Any]] = {}
    for answer in session.execute(query):
        task = Task(answer.task_id, answer.project, answer.image_url, answer.expression)
        if task in gold and gold[task].author != answer.annotator:
            newest[task, answer.annotator] = answer
    masks = _read_masks([
        (one.counts if Verdict(one.verdict).has_mask else None, one.height, one.width)
        for one in newest.values()
    ])  # fmt: skip
    tasks, sizes = [task for task, _ in newest], [mask.size if mask else None for mask in masks]
    times = [one.updated_at for one in newest.values()]
    images = find_answer_images(session, tasks, sizes, times) if tasks else []
    stored = [(one.counts, one.height, one.width) for one in gold.values()]
    known = dict(zip(gold, _read_masks(stored), strict=True))
    for (task, annotator), mask, image in zip(newest, masks, images, strict=True):
        key = get_image_key(task, image.digest if image else None)
        yield GoldAnswer(task, key, annotator, mask, known[task])


def _read_masks(stored: Sequence[tuple[str | None, int | None, int | None]]) -> list[RLE | None]:
    """Read masks of their counts, heights and widths; None without counts."""
    masked = [(counts, height or 0, width or 0) for counts, height, width in stored if counts is not None]
    masks = iter(masks_from_strings(masked))
    return [None if counts is None else next(masks) for counts, _, _ in stored]
