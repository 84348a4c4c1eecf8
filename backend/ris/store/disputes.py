"""Find the tasks that several annotators answered differently."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from pycocotools import mask as coco
from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from ris.core.types import Task, Verdict
from ris.store.filters import DecisionFilter
from ris.store.schema import CorrectionRow

_N_NEWEST = 2_000  # answers among whose tasks disputes are looked for
_MAX_TASKS = 200  # tasks with several answers whose masks are compared
_IDS_PER_QUERY = 500
_MAX_COMPARED = 20  # newest answers of one task: each is compared with each
_DISPUTE_IOU = 0.5  # masks with a smaller IoU are of different objects, as in `export.dataset`


@dataclass(frozen=True, slots=True)
class Dispute:
    """A task whose answers differ.

    Attributes:
        task: the task.
        n_answers: number of current answers that were compared.
        verdicts: of the answers, in the order of their times.
        iou: the lowest IoU of two answers, in [0, 1]; 0 where one has a mask and the other says that there is
            no referent.
    """

    task: Task
    n_answers: int
    verdicts: tuple[Verdict, ...]
    iou: float


def find_disputes(session: Session, chosen: DecisionFilter, *, limit: int) -> list[Dispute]:
    """Return the tasks whose answers differ, the most different first.

    Looked at are the tasks of the newest 2,000 answers that are chosen; of each project at most 200 of them
    that have several answers, and of each task the newest 20. The cost does not grow with the record.

    Args:
        session: of the database.
        chosen: which answers; the other answers of their tasks count too.
        limit: the most disputes to return.
    """
    row = CorrectionRow
    newest = (
        select(row.project, row.task_id)
        .where(*chosen.make_conditions())
        .order_by(row.updated_at.desc(), row.id.desc())
        .limit(_N_NEWEST)
    )
    found = list(dict.fromkeys((project, task_id) for project, task_id in session.execute(newest)))
    several = {
        (project, task_id)
        for project, task_ids in _group_by_project(found).items()
        for task_id in _find_tasks_with_several(session, project, task_ids)
    }
    compared = [key for key in found if key in several][:_MAX_TASKS]
    disputes = []
    for project, task_ids in _group_by_project(compared).items():
        for group in _read_answers(session, project, task_ids):
            if (dispute := _compare(group)) is not None:
                disputes.append(dispute)
    return sorted(disputes, key=lambda dispute: (dispute.iou, -dispute.n_answers))[:limit]


def _group_by_project(keys: Sequence[tuple[str, int]]) -> dict[str, list[int]]:
    tasks: dict[str, list[int]] = {}
    for project, task_id in keys:
        tasks.setdefault(project, []).append(task_id)
    return tasks


def _find_tasks_with_several(session: Session, project: str, task_ids: Sequence[int]) -> set[int]:
    """Return the tasks with several current answers."""
    found: set[int] = set()
    for start in range(0, len(task_ids), _IDS_PER_QUERY):
        part = task_ids[start : start + _IDS_PER_QUERY]
        query = _select_current(project, part, CorrectionRow.task_id).group_by(CorrectionRow.task_id)
        found |= set(session.scalars(query.having(func.count() > 1)))
    return found


def _read_answers(session: Session, project: str, task_ids: Sequence[int]) -> list[list[Row[Any]]]:
    """Return the current answers of each expression of each task, oldest first."""
    row = CorrectionRow
    query = _select_current(
        project, task_ids, row.project, row.task_id, row.image_url, row.expression, row.verdict, row.counts,
        row.height, row.width,
    )  # fmt: skip
    groups: dict[tuple[int, str, str], list[Row[Any]]] = {}
    for answer in session.execute(query.order_by(row.task_id, row.updated_at)):
        groups.setdefault((answer.task_id, answer.image_url, answer.expression), []).append(answer)
    return list(groups.values())


def _select_current(project: str, task_ids: Sequence[int], *columns: Any) -> Select[Any]:
    row = CorrectionRow
    return select(*columns).where(row.is_current, row.project == project, row.task_id.in_(task_ids))


def _compare(answers: Sequence[Row[Any]]) -> Dispute | None:
    """Return the dispute of a task's answers; None if they agree. Skipped answers say nothing."""
    said = [answer for answer in answers if answer.verdict != Verdict.SKIPPED.value][-_MAX_COMPARED:]
    iou = min((_compute_agreement(one, two) for one, two in combinations(said, 2)), default=1.0)
    if iou >= _DISPUTE_IOU:
        return None
    first = said[0]
    task = Task(first.task_id, first.project, first.image_url, first.expression)
    return Dispute(task, len(said), tuple(Verdict(answer.verdict) for answer in said), iou)


def _compute_agreement(one: Row[Any], two: Row[Any]) -> float:
    """Return the IoU of two masks; 1 if neither has one, 0 if one has, or if the sizes differ."""
    if one.counts is None or two.counts is None:
        return float(one.counts is two.counts)
    if (one.height, one.width) != (two.height, two.width):
        return 0.0
    masks = [{"size": [a.height, a.width], "counts": a.counts.encode("ascii")} for a in (one, two)]
    return float(coco.iou(masks[:1], masks[1:], [False])[0, 0])
