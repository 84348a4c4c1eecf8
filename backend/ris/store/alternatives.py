"""What was on offer for an answer: for its own task, or where it was imported from.

Predictions that `ris prelabel --out` wrote keep the ids of the project and task that they were computed for.
Imported into another project they are found again by these ids, where words and picture are the same.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from ris.core.types import Alternative, Annotation, Task
from ris.store.known_images import KnownImage, find_known_images
from ris.store.records import hash_task_content, to_alternative
from ris.store.schema import SuggestionRow, TaskRow


@dataclass(frozen=True, slots=True)
class AnsweredTask:
    """A task that was answered under a version.

    Attributes:
        row: its id in SQL.
        key: its project, its number there, and what was asked.
        reference: to its picture, as it was written.
        digest: of its picture.
    """

    row_id: int
    key: tuple[str, int, str]
    version: str
    expression: str
    image_url: str
    digest: str


def find_answer_alternatives(
    session: Session, annotations: Sequence[Annotation]
) -> list[tuple[Alternative, ...]]:
    """By answer, everything it can have come from, of every version, the newest version first.

    That is what was offered for its image and expression. An answer that names none of these by their region
    ids, and names offers of another task with the same expression and the same picture, came from those.
    The picture is the same when its file is, or where nobody has seen the file, when its reference is, letter
    by letter: an id that was copied from another picture finds nothing.
    """
    tasks = [annotation.task for annotation in annotations]
    rows = _find_answered_tasks(session, tasks)
    own = [_get_answered_tasks(rows, task) for task in tasks]
    offers = _load_alternatives(session, [row for some in own for row in some])
    found = [tuple(offer for row in some for offer in offers.get(row.row_id, ())) for some in own]
    strange = [i for i, a in enumerate(annotations) if not _has_any_id(found[i], a.region_ids)]
    elsewhere = _find_imported_alternatives(session, [annotations[i] for i in strange])
    for i, imported in zip(strange, elsewhere, strict=True):
        found[i] = imported or found[i]
    return found


def _find_imported_alternatives(
    session: Session, annotations: Sequence[Annotation]
) -> list[tuple[Alternative, ...]]:
    """By answer, the offers of other tasks that it names, with those that stood beside them."""
    ids = {name for a in annotations for name in a.region_ids if name.isascii()}  # as all of ours are
    by_id = _find_by_region(session, ids)
    if not by_id:
        return [()] * len(annotations)
    pictures = find_known_images(session, [annotation.task for annotation in annotations])
    rows = [_select_matching(by_id, a, seen) for a, seen in zip(annotations, pictures, strict=True)]
    offers = _load_alternatives(session, [row for some in rows for row in some])
    return [tuple(offer for row in some for offer in offers.get(row.row_id, ())) for some in rows]


def _select_matching(
    by_id: Mapping[str, Sequence[AnsweredTask]], annotation: Annotation, pictures: Sequence[KnownImage]
) -> list[AnsweredTask]:
    named = {row.row_id: row for name in annotation.region_ids for row in by_id.get(name, ())}
    near = {p.digest for p in pictures if p.distance == pictures[0].distance}
    task = annotation.task
    return [
        row
        for row in named.values()
        if row.expression == task.expression
        and (row.digest in near if near else row.image_url == task.image_url)
    ]


def _has_any_id(offers: Iterable[Alternative], ids: Sequence[str]) -> bool:
    return any(offer.region_id in ids for offer in offers)


_TASK_COLUMNS = (
    TaskRow.id, TaskRow.project, TaskRow.task_id, TaskRow.asked, TaskRow.version, TaskRow.expression,
    TaskRow.image_url, TaskRow.image_digest,
)  # fmt: skip


def _find_answered_tasks(
    session: Session, tasks: Sequence[Task]
) -> Mapping[tuple[str, int, str], list[AnsweredTask]]:
    """By project, task and what was asked: its answers, newest first."""
    query = (
        select(*_TASK_COLUMNS)
        .where(
            TaskRow.project.in_({t.project for t in tasks}), TaskRow.task_id.in_({t.task_id for t in tasks})
        )
        .order_by(TaskRow.answered_at.desc(), TaskRow.id.desc())
    )
    found: dict[tuple[str, int, str], list[AnsweredTask]] = {}
    for row, project, number, asked, *rest in session.execute(query):
        one = AnsweredTask(row, (project, number, asked), *rest)
        found.setdefault(one.key, []).append(one)
    return found


def _get_answered_tasks(
    rows: Mapping[tuple[str, int, str], list[AnsweredTask]], task: Task
) -> list[AnsweredTask]:
    return rows.get((task.project, task.task_id, hash_task_content(task)), [])


def _find_by_region(session: Session, ids: set[str]) -> Mapping[str, list[AnsweredTask]]:
    """By region id, the tasks that it was offered for."""
    if not ids:
        return {}
    query = (
        select(SuggestionRow.region_id, *_TASK_COLUMNS)
        .join(TaskRow, TaskRow.id == SuggestionRow.task)
        .where(SuggestionRow.region_id.in_(ids))
        .order_by(TaskRow.answered_at.desc(), TaskRow.id.desc())
    )
    found: dict[str, list[AnsweredTask]] = {}
    for name, row, project, number, asked, *rest in session.execute(query):
        found.setdefault(name, []).append(AnsweredTask(row, (project, number, asked), *rest))
    return found


def _load_alternatives(session: Session, rows: Sequence[AnsweredTask]) -> Mapping[int, list[Alternative]]:
    """By answered task its offers, best first."""
    versions = {row.row_id: row.version for row in rows}
    if not versions:
        return {}
    query = select(SuggestionRow).where(SuggestionRow.task.in_(versions)).order_by(SuggestionRow.rank)
    found: dict[int, list[Alternative]] = {}
    for row in session.scalars(query):
        found.setdefault(row.task, []).append(to_alternative(row, versions[row.task]))
    return found
