"""Find the alternatives of an answer: those of its own task, or of the task it was imported from.

Predictions written by `ris prelabel --out` have the region ids of the task that they were computed for.
Imported into another project, they are found by these ids if the expression and the image are the same.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from ris.core.types import Alternative, Annotation, Task
from ris.store.known_images import KnownImage, find_known_images
from ris.store.records import hash_task_content, to_alternatives
from ris.store.schema import SuggestionRow, TaskRow


@dataclass(frozen=True, slots=True)
class AnsweredTask:
    """A task whose alternatives were computed under a version.

    Attributes:
        row_id: its id in SQL.
        key: its project, its number there, and the digest of image reference and expression.
        version: of the alternatives.
        expression: of the task.
        image_url: the reference to its image, as the task's author wrote it.
        digest: SHA-256 of its image's file.
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
    """Return the alternatives that each answer can come from, of every version, newest version first.

    These are the alternatives of its task's image and expression. If the answer has none of their region ids,
    but ids of another task with the same expression and image, the alternatives of that task are returned.
    Images are the same if their files are; if no file was seen, if their references are equal. So an id that
    was copied from another image finds nothing.

    Args:
        session: of the database.
        annotations: the answers; the result has one tuple for each, in order.
    """
    tasks = [annotation.task for annotation in annotations]
    rows = _find_answered_tasks(session, tasks)
    own = [_get_answered_tasks(rows, task) for task in tasks]
    loaded = _load_alternatives(session, [row for answered in own for row in answered])
    found = [tuple(one for row in answered for one in loaded.get(row.row_id, ())) for answered in own]
    unmatched = [i for i, a in enumerate(annotations) if not _has_any_id(found[i], a.region_ids)]
    elsewhere = _find_imported_alternatives(session, [annotations[i] for i in unmatched])
    for i, imported in zip(unmatched, elsewhere, strict=True):
        found[i] = imported or found[i]
    return found


def _find_imported_alternatives(
    session: Session, annotations: Sequence[Annotation]
) -> list[tuple[Alternative, ...]]:
    """Return, for each answer, all alternatives of the other tasks whose region ids it has."""
    ids = {name for a in annotations for name in a.region_ids if name.isascii()}  # as all ids of alternatives
    by_id = _find_by_region(session, ids)
    if not by_id:
        return [()] * len(annotations)
    images = find_known_images(session, [annotation.task for annotation in annotations])
    rows = [_select_matching(by_id, a, known) for a, known in zip(annotations, images, strict=True)]
    loaded = _load_alternatives(session, [row for matching in rows for row in matching])
    return [tuple(one for row in matching for one in loaded.get(row.row_id, ())) for matching in rows]


def _select_matching(
    by_id: Mapping[str, Sequence[AnsweredTask]], annotation: Annotation, images: Sequence[KnownImage]
) -> list[AnsweredTask]:
    named = {row.row_id: row for name in annotation.region_ids for row in by_id.get(name, ())}
    nearest = {image.digest for image in images if image.distance == images[0].distance}
    task = annotation.task
    return [
        row
        for row in named.values()
        if row.expression == task.expression
        and (row.digest in nearest if nearest else row.image_url == task.image_url)
    ]


def _has_any_id(alternatives: Iterable[Alternative], ids: Sequence[str]) -> bool:
    return any(alternative.region_id in ids for alternative in alternatives)


_TASK_COLUMNS = (
    TaskRow.id, TaskRow.project, TaskRow.task_id, TaskRow.asked, TaskRow.version, TaskRow.expression,
    TaskRow.image_url, TaskRow.image_digest,
)  # fmt: skip

_SUGGESTION_COLUMNS = (
    SuggestionRow.task, SuggestionRow.rank, SuggestionRow.place, SuggestionRow.region_id, SuggestionRow.score,
    SuggestionRow.counts, SuggestionRow.height, SuggestionRow.width, SuggestionRow.x1, SuggestionRow.y1,
    SuggestionRow.x2, SuggestionRow.y2, SuggestionRow.methods,
)  # fmt: skip


def _find_answered_tasks(
    session: Session, tasks: Sequence[Task]
) -> Mapping[tuple[str, int, str], list[AnsweredTask]]:
    """Return the answered tasks by `AnsweredTask.key`, newest first."""
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
    """Return the answered tasks that have an alternative with each region id, newest first."""
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
    """Return the alternatives of each answered task by its row id, best first."""
    versions = {row.row_id: row.version for row in rows}
    if not versions:
        return {}
    query = select(*_SUGGESTION_COLUMNS).where(SuggestionRow.task.in_(versions)).order_by(SuggestionRow.rank)
    found: dict[int, list[Alternative]] = {}
    suggestions = session.execute(query).all()
    alternatives = to_alternatives(suggestions, [versions[row.task] for row in suggestions])
    for row, alternative in zip(suggestions, alternatives, strict=True):
        found.setdefault(row.task, []).append(alternative)
    return found
