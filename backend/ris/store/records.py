"""Write projects, images, suggestions and corrections, and read suggestions."""

import base64
import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, TableClause, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from ris.core import rle
from ris.core.address import to_address, to_address_key
from ris.core.comparison import Comparison
from ris.core.rle import RLE
from ris.core.types import Alternative, Correction, MethodScore, MethodScores, Size, Suggestion, Task
from ris.redaction.text import redact_text
from ris.store.comparisons import comparison_to_json
from ris.store.current import refresh_current
from ris.store.schema import (
    AddressRow,
    BaseRow,
    CorrectionRow,
    DeletionRow,
    ImageRow,
    ProjectRow,
    ProposalsRow,
    SuggestionRow,
    TaskRow,
)


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """The stored scores and evidence of one method.

    Attributes:
        method: its name.
        skipped_reason: why the method was skipped; "" when it ran.
        scores: one for each proposal, float32 [N]; empty where they were not stored.
        evidence: what the scores are based on, by name.
        heat: its heat map, uint8 [side, side]; None without one.
    """

    method: str
    skipped_reason: str = ""
    scores: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    evidence: Mapping[str, str] = field(default_factory=dict)
    heat: NDArray[np.uint8] | None = None


def save_project(
    session: Session, key: str, *, label_config: str, extra_params: Mapping[str, Any], now: datetime
) -> None:
    """Store the label config and the parameters of a project's last /setup."""
    add_once(
        session, ProjectRow, key=key, label_config=label_config, extra_params=dict(extra_params),
        first_seen=now, last_seen=now,
    )  # fmt: skip
    row = session.get_one(ProjectRow, key)
    row.label_config, row.extra_params, row.last_seen = label_config, dict(extra_params), now


def save_carried_expression(session: Session, project: str, expression: str, *, at: datetime) -> None:
    """Store the expression for tasks without one of their own, unless a later answer set it."""
    row = session.get(ProjectRow, project)
    if row is not None and (row.kept_at is None or row.kept_at <= at):
        row.kept_words, row.kept_at = expression, at


def find_carried_expression(session: Session, project: str) -> str:
    """Return the carried expression of a project; "" without one."""
    row = session.get(ProjectRow, project)
    return (row.kept_words or "") if row is not None else ""


def add_alternatives(
    session: Session,
    task: Task,
    digest: str,
    size: Size,
    alternatives: Sequence[Alternative],
    *,
    version: str,
    method_scores: Sequence[MethodScores],
    proposals: Sequence[RLE] = (),
    now: datetime,
) -> None:
    """Store the alternatives of a task under a version, unless they are stored already.

    Args:
        session: of the database.
        task: the task.
        digest: SHA-256 of its image's file.
        size: of its image, (height, width) in pixels as displayed.
        alternatives: best first; may be empty.
        version: of the alternatives.
        method_scores: of every method: its scores and evidence, or why it was skipped.
        proposals: all ranked masks; learning needs those that were not shown, too.
        now: the time, in UTC.
    """
    add_task_image(session, task, digest, size, now=now)
    key = _add_proposals(session, size, proposals)
    is_new = add_once(
        session, TaskRow, project=task.project, task_id=task.task_id, asked=hash_task_content(task),
        image_url=task.image_url, expression=task.expression, version=version, image_digest=digest,
        left_out={one.method: redact_text(one.skipped_reason) for one in method_scores if one.skipped_reason},
        explained={one.method: _explanation_to_json(one) for one in method_scores if not one.skipped_reason},
        answered_at=now, proposals=key,
    )  # fmt: skip
    if not is_new:
        return
    row = session.scalars(_select_task_rows(task).where(TaskRow.version == version)).one()
    session.add_all(_to_suggestion_row(row.id, alternative) for alternative in alternatives)
    session.flush()


def add_task_image(session: Session, task: Task, digest: str, size: Size, *, now: datetime) -> None:
    """Store which image a task's address leads to, unless that is stored already.

    Args:
        session: of the database.
        task: the task.
        digest: SHA-256 of the image's file.
        size: (height, width) in pixels as displayed.
        now: the time, in UTC.
    """
    address = to_address_key(to_address(task.image_url, task.project))
    add_once(session, ImageRow, digest=digest, height=size[0], width=size[1], first_seen=now)
    add_once(session, AddressRow, address=address, project=task.project, digest=digest, seen_at=now)


def find_alternatives(session: Session, task: Task, version: str) -> tuple[Alternative, ...] | None:
    """Return a task's alternatives for its image and expression, best first; None if never computed."""
    row = _find_task_row(session, task, version)
    return None if row is None else _load_alternatives(session, row)


def find_answered_tasks(session: Session, tasks: Sequence[Task], version: str) -> set[Task]:
    """Return those of some hundred tasks whose alternatives are stored, for their image and expression.

    It reads no masks: one query over an index for each project.
    """
    by_project: dict[str, list[Task]] = {}
    for task in tasks:
        by_project.setdefault(task.project, []).append(task)
    found: set[Task] = set()
    for project, group in by_project.items():
        found.update(_find_task_row_ids(session, project, group, version))
    return found


def find_alternatives_of_tasks(
    session: Session, project: str, tasks: Sequence[Task], version: str
) -> dict[Task, tuple[Alternative, ...]]:
    """Return the alternatives of some hundred tasks of a project, best first; tasks without any are left out.

    Two queries for all of them.
    """
    task_by_row = {row: task for task, row in _find_task_row_ids(session, project, tasks, version).items()}
    rows = session.scalars(
        select(SuggestionRow)
        .where(SuggestionRow.task.in_(task_by_row))
        .order_by(SuggestionRow.task, SuggestionRow.rank)
    ).all()
    found: dict[Task, tuple[Alternative, ...]] = {}
    for row, alternative in zip(rows, to_alternatives(rows, [version] * len(rows)), strict=True):
        task = task_by_row[row.task]
        found[task] = (*found.get(task, ()), alternative)
    return found


def _find_task_row_ids(
    session: Session, project: str, tasks: Sequence[Task], version: str
) -> dict[Task, int]:
    rows = session.execute(
        select(TaskRow.task_id, TaskRow.asked, TaskRow.id).where(
            TaskRow.project == project,
            TaskRow.task_id.in_([task.task_id for task in tasks]),
            TaskRow.version == version,
        )
    )
    stored = {(task_id, asked): row_id for task_id, asked, row_id in rows}
    keys = ((task, (task.task_id, hash_task_content(task))) for task in tasks)
    return {task: stored[key] for task, key in keys if key in stored}


def find_proposals(session: Session, task: Task, version: str) -> tuple[RLE, ...]:
    """Return the masks that were ranked for a task under a version; empty where they were not stored."""
    row = _find_task_row(session, task, version)
    stored = session.get(ProposalsRow, row.proposals) if row is not None and row.proposals else None
    if stored is None:
        return ()
    return tuple(masks_from_strings([(counts, stored.height, stored.width) for counts in stored.masks]))


def find_explanations(session: Session, task: Task, version: str) -> tuple[Explanation, ...]:
    """Return the stored scores and evidence of every method for a task under a version, by its name."""
    row = _find_task_row(session, task, version)
    if row is None:
        return ()
    found = [_explanation_from_json(name, stored) for name, stored in row.explained.items()]
    found += [Explanation(name, skipped_reason=reason) for name, reason in row.left_out.items()]
    return tuple(sorted(found, key=lambda explanation: explanation.method))


def add_correction(
    session: Session,
    correction: Correction,
    *,
    version: str | None,
    event_id: int | None,
    now: datetime,
    comparison: Comparison | None = None,
) -> bool:
    """Add one version of one annotation; return False when it is stored already.

    Args:
        session: of the database.
        correction: the judged answer.
        version: of the alternatives that it was judged against; None without any.
        event_id: of the event that brought it; None without one.
        now: the time, in UTC.
        comparison: with the alternatives of that version; None leaves it to the first reader of figures.
    """
    annotation, mask, edit = correction.annotation, correction.annotation.mask, correction.edit
    is_new = add_once(
        session, CorrectionRow,
        project=annotation.task.project, annotation_id=annotation.annotation_id,
        updated_at=annotation.updated_at, task_id=annotation.task.task_id,
        image_url=annotation.task.image_url, expression=annotation.task.expression,
        annotator=annotation.annotator, lead_time_s=annotation.lead_time_s,
        parent_prediction=annotation.parent_prediction, cancelled=annotation.cancelled,
        region_ids=list(annotation.region_ids), verdict=correction.verdict.value, rank=correction.rank,
        iou=correction.iou, added_px=edit.added_px if edit else None,
        removed_px=edit.removed_px if edit else None, boundary_iou=edit.boundary_iou if edit else None,
        version=version, counts=rle.to_string(mask) if mask else None,
        height=mask.size[0] if mask else None, width=mask.size[1] if mask else None,
        event=event_id, recorded_at=now,
        comparison=comparison_to_json(comparison) if comparison else None,
    )  # fmt: skip
    if is_new:
        refresh_current(session, annotation.task.project, annotation_ids=[annotation.annotation_id])
    return is_new


def add_deletion(
    session: Session,
    project: str,
    *,
    annotation_ids: Collection[int] = (),
    task_ids: Collection[int] = (),
    event_id: int | None,
    now: datetime,
) -> None:
    """Mark annotations, or tasks with all their annotations, as deleted. Their versions stay."""
    gone = [("annotation", i) for i in annotation_ids] + [("task", i) for i in task_ids]
    for kind, gone_id in gone:
        add_once(
            session, DeletionRow, project=project, kind=kind, gone_id=gone_id, event=event_id, recorded_at=now
        )
    refresh_current(session, project, annotation_ids=annotation_ids, task_ids=task_ids)


def add_once(session: Session, table: type[BaseRow], **values: Any) -> bool:
    """Insert a row unless a row of its keys exists; return whether it is new. Safe with concurrent calls."""
    key = next(iter(table.__table__.primary_key))
    insert = make_insert_or_ignore(session, table).values(**values)
    return session.execute(insert.returning(key)).first() is not None


def make_insert_or_ignore(
    session: Session | Connection, table: type[BaseRow] | TableClause
) -> sqlite.Insert | postgresql.Insert:
    """Return an INSERT that skips rows whose keys exist."""
    bind = session if isinstance(session, Connection) else session.get_bind()
    if bind.dialect.name == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()


def _add_proposals(session: Session, size: Size, masks: Sequence[RLE]) -> str | None:
    if not masks:
        return None
    counts = [rle.to_string(mask) for mask in masks]
    key = hashlib.sha256(json.dumps([size, counts]).encode()).hexdigest()
    add_once(session, ProposalsRow, key=key, height=size[0], width=size[1], masks=counts)
    return key


def _explanation_to_json(method_scores: MethodScores) -> dict[str, Any]:
    scores = [float(score) for score in method_scores.scores]
    explanation: dict[str, Any] = {"evidence": dict(method_scores.evidence), "scores": scores}
    if method_scores.heat is not None:
        packed = base64.b64encode(method_scores.heat.tobytes()).decode("ascii")
        explanation["heat"] = {"side": method_scores.heat.shape[0], "bytes": packed}
    return explanation


def _explanation_from_json(method: str, stored: Mapping[str, Any]) -> Explanation:
    scores = np.array(stored.get("scores", ()), np.float32)
    heat = stored.get("heat")
    if heat is None:
        return Explanation(method, scores=scores, evidence=stored["evidence"])
    values = np.frombuffer(base64.b64decode(heat["bytes"]), np.uint8).reshape(heat["side"], -1)
    return Explanation(method, scores=scores, evidence=stored["evidence"], heat=values)


def hash_task_content(task: Task) -> str:
    """Return the SHA-256 of a task's image reference and expression, the key of its alternatives."""
    return hashlib.sha256(json.dumps([task.image_url, task.expression]).encode()).hexdigest()


def _find_task_row(session: Session, task: Task, version: str) -> TaskRow | None:
    found: TaskRow | None = session.scalars(
        _select_task_rows(task).where(TaskRow.version == version)
    ).one_or_none()
    return found


def _select_task_rows(task: Task) -> Any:
    return select(TaskRow).where(
        TaskRow.project == task.project,
        TaskRow.task_id == task.task_id,
        TaskRow.asked == hash_task_content(task),
    )


def _to_suggestion_row(task: int, alternative: Alternative) -> SuggestionRow:
    suggestion = alternative.suggestion
    x1, y1, x2, y2 = suggestion.box
    methods = {name: {"score": one.score, "rank": one.rank} for name, one in suggestion.methods.items()}
    return SuggestionRow(
        task=task, rank=suggestion.rank, place=alternative.place, region_id=alternative.region_id,
        score=suggestion.score,
        counts=rle.to_string(suggestion.mask), height=suggestion.mask.size[0], width=suggestion.mask.size[1],
        x1=x1, y1=y1, x2=x2, y2=y2, methods=methods,
    )  # fmt: skip


def _load_alternatives(session: Session, task: TaskRow) -> tuple[Alternative, ...]:
    query = select(SuggestionRow).where(SuggestionRow.task == task.id).order_by(SuggestionRow.rank)
    rows = session.scalars(query).all()
    return tuple(to_alternatives(rows, [task.version] * len(rows)))


def to_alternatives(rows: Sequence[SuggestionRow | Row[Any]], versions: Sequence[str]) -> list[Alternative]:
    """Return the alternatives of rows, or of rows of their columns, with the versions of their tasks."""
    masks = masks_from_strings([(row.counts, row.height, row.width) for row in rows])
    return [
        _make_alternative(row, mask, version)
        for row, mask, version in zip(rows, masks, versions, strict=True)
    ]


def _make_alternative(row: SuggestionRow | Row[Any], mask: RLE, version: str) -> Alternative:
    methods = {name: MethodScore(one["score"], one["rank"]) for name, one in row.methods.items()}
    box = (row.x1, row.y1, row.x2, row.y2)
    return Alternative(row.region_id, Suggestion(row.rank, row.score, mask, box, methods, version), row.place)


def masks_from_strings(stored: Sequence[tuple[str, int, int]]) -> list[RLE]:
    """Return the masks of COCO's compressed strings and their sizes, height and width in pixels.

    An accepted mask is that of its alternative: equal ones are read once.
    """
    distinct = list(dict.fromkeys(stored))
    masks = rle.from_strings([one[0] for one in distinct], [one[1:] for one in distinct])
    found = dict(zip(distinct, masks, strict=True))
    return [found[one] for one in stored]
