"""The tasks that settle on what people disagree, and the answers to them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, select, update
from sqlalchemy.orm import Session, aliased

from ris.core.masks import compute_rle_box
from ris.core.rle import RLE
from ris.core.types import Alternative, Suggestion, Task, Verdict
from ris.store.filters import make_task_condition
from ris.store.records import add_once, masks_from_strings
from ris.store.schema import AdjudicationRow, CorrectionRow

_KEYS_PER_QUERY = 500


@dataclass(frozen=True, slots=True)
class OfferedMask:
    """An alternative of an adjudication: one mask that one or several people answered.

    Attributes:
        region_id: of its region in Label Studio.
        rank: its place, 0 first; nothing tells whose it is.
        score: how far the people agree, in [0, 1]; the same for all alternatives of a task.
        answers: ids in SQL of the versions of answers with this mask.
    """

    region_id: str
    rank: int
    score: float
    answers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Adjudication:
    """A task that settles another one.

    Attributes:
        project: key of its project.
        task_id: its number.
        source: the task that it settles.
        version: of the alternatives.
        alternatives: the masks that it offers.
    """

    project: str
    task_id: int
    source: Task
    version: str
    alternatives: tuple[OfferedMask, ...]

    @property
    def task(self) -> Task:
        """The task that is shown to the adjudicator: of the same image and expression."""
        return Task(self.task_id, self.project, self.source.image_url, self.source.expression)


def add_adjudications(session: Session, made: Sequence[Adjudication], *, now: datetime) -> None:
    """Add adjudications, or replace the alternatives of those that are there.

    Args:
        session: of the database.
        made: the adjudications.
        now: the time, in UTC.
    """
    for one in made:
        offered = _alternatives_to_json(one.alternatives)
        is_new = add_once(
            session, AdjudicationRow, project=one.project, task_id=one.task_id,
            source_project=one.source.project, source_task_id=one.source.task_id,
            image_url=one.source.image_url, expression=one.source.expression, version=one.version,
            alternatives=offered, made_at=now,
        )  # fmt: skip
        if not is_new:
            row = AdjudicationRow
            session.execute(
                update(row)
                .where(row.project == one.project, row.task_id == one.task_id)
                .values(version=one.version, alternatives=offered, made_at=now)
            )


def find_adjudications(session: Session, project: str) -> list[Adjudication]:
    """Return the adjudications of a project, by task."""
    query = select(AdjudicationRow).where(AdjudicationRow.project == project)
    return [to_adjudication(row) for row in session.scalars(query.order_by(AdjudicationRow.task_id))]


def is_adjudication_project(session: Session, project: str) -> bool:
    """Tell whether tasks of a project settle those of another one."""
    query = select(AdjudicationRow.id).where(AdjudicationRow.project == project).limit(1)
    return session.scalars(query).first() is not None


def select_adjudication_projects() -> Select[Any]:
    """Return SQL for the keys of the projects whose tasks settle those of others."""
    return select(AdjudicationRow.project).distinct()


def find_settled_tasks(session: Session, project: str) -> set[int]:
    """Return the tasks of a project of adjudications that somebody answered and did not skip."""
    query = (
        select(CorrectionRow.task_id)
        .join(AdjudicationRow, make_outcome_condition(AdjudicationRow))
        .where(
            AdjudicationRow.project == project,
            CorrectionRow.is_current,
            CorrectionRow.verdict != Verdict.SKIPPED.value,
        )
    )
    return set(session.scalars(query.distinct()))


def make_outcome_condition(adjudication: Any) -> ColumnElement[bool]:
    """Return the condition by which an answer is one to an adjudication: to its task, image and words."""
    return and_(
        adjudication.project == CorrectionRow.project,
        adjudication.task_id == CorrectionRow.task_id,
        adjudication.image_url == CorrectionRow.image_url,
        adjudication.expression == CorrectionRow.expression,
    )


def make_is_listed_with_source() -> ColumnElement[bool]:
    """Return the condition by which an answer settles a task that has answers, and is listed with these."""
    adjudication, source = aliased(AdjudicationRow), aliased(CorrectionRow)
    has_source = (
        select(source.id)
        .where(
            source.is_current,
            source.project == adjudication.source_project,
            source.task_id == adjudication.source_task_id,
        )
        .exists()
    )
    return select(adjudication.id).where(make_outcome_condition(adjudication), has_source).exists()


def find_outcomes(
    session: Session, tasks: Collection[tuple[str, int]], columns: Sequence[Any]
) -> Sequence[Row[Any]]:
    """Return the current answers that settle some hundred tasks, by the task that is settled.

    Args:
        session: of the database.
        tasks: project and number of each task.
        columns: of `correction`.
    """
    settles = make_task_condition(AdjudicationRow.source_project, AdjudicationRow.source_task_id, tasks)
    # Asked for apart: in one query SQLite may begin with all answers, and tasks that are settled are few.
    places = select(AdjudicationRow.project, AdjudicationRow.task_id).where(settles)
    settling = sorted((project, task_id) for project, task_id in session.execute(places))
    if not settling:
        return []
    row = CorrectionRow
    query = (
        select(*columns)
        .join(AdjudicationRow, make_outcome_condition(AdjudicationRow))
        .where(row.is_current, make_task_condition(row.project, row.task_id, settling), settles)
        .order_by(
            AdjudicationRow.source_project, AdjudicationRow.source_task_id, row.project, row.annotation_id
        )
    )
    return session.execute(query).all()


def find_sources(session: Session, tasks: Collection[Task]) -> dict[Task, Task]:
    """Return the tasks that others settle, by these others; tasks that settle nothing are left out."""
    found = _find_rows(session, {(task.project, task.task_id) for task in tasks})
    by_key = {(row.project, row.task_id): to_adjudication(row) for row in found}
    sources = {}
    for task in tasks:
        adjudication = by_key.get((task.project, task.task_id))
        if adjudication is not None and adjudication.task == task:
            sources[task] = adjudication.source
    return sources


def find_offered_alternatives(
    session: Session, tasks: Collection[Task]
) -> dict[Task, tuple[Alternative, ...]]:
    """Return the alternatives of the tasks that settle others, by these tasks, in their order."""
    rows = _find_rows(session, {(task.project, task.task_id) for task in tasks})
    adjudications = {one.task: one for one in map(to_adjudication, rows)}
    wanted = [adjudications[task] for task in tasks if task in adjudications]
    firsts = {offered.answers[0] for one in wanted for offered in one.alternatives}
    masks = _load_masks(session, sorted(firsts))
    result: dict[Task, tuple[Alternative, ...]] = {}
    for one in wanted:
        made = []
        for offered in one.alternatives:
            mask = masks[offered.answers[0]]
            box = compute_rle_box(mask)
            suggestion = Suggestion(offered.rank, offered.score, mask, box, {}, one.version)
            made.append(Alternative(offered.region_id, suggestion, offered.rank))
        result[one.task] = tuple(made)
    return result


def _load_masks(session: Session, row_ids: Sequence[int]) -> dict[int, RLE]:
    if not row_ids:
        return {}
    row = CorrectionRow
    query = select(row.id, row.counts, row.height, row.width).where(row.id.in_(row_ids))
    rows = session.execute(query).all()
    masks = masks_from_strings([(found.counts, found.height, found.width) for found in rows])
    return {found.id: mask for found, mask in zip(rows, masks, strict=True)}


def _find_rows(session: Session, keys: Collection[tuple[str, int]]) -> list[AdjudicationRow]:
    wanted = sorted(keys)
    found: list[AdjudicationRow] = []
    for start in range(0, len(wanted), _KEYS_PER_QUERY):
        part = wanted[start : start + _KEYS_PER_QUERY]
        query = select(AdjudicationRow).where(
            make_task_condition(AdjudicationRow.project, AdjudicationRow.task_id, part)
        )
        found += session.scalars(query).all()
    return found


def _alternatives_to_json(alternatives: Sequence[OfferedMask]) -> dict[str, Any]:
    return {
        one.region_id: {"rank": one.rank, "score": one.score, "answers": list(one.answers)}
        for one in alternatives
    }


def _alternatives_from_json(stored: Mapping[str, Any]) -> tuple[OfferedMask, ...]:
    made = (
        OfferedMask(region, one["rank"], one["score"], tuple(one["answers"]))
        for region, one in stored.items()
    )
    return tuple(sorted(made, key=lambda one: one.rank))


def to_adjudication(row: AdjudicationRow) -> Adjudication:
    """Return the adjudication of a row."""
    source = Task(row.source_task_id, row.source_project, row.image_url, row.expression)
    return Adjudication(
        row.project, row.task_id, source, row.version, _alternatives_from_json(row.alternatives)
    )
