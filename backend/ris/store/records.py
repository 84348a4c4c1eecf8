"""What is written: projects, images, suggestions, the history of corrections. All take a session."""

import base64
import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, TableClause, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from ris.core import rle
from ris.core.address import to_address, to_address_key
from ris.core.rle import RLE
from ris.core.types import Alternative, Correction, MethodScore, MethodScores, Size, Suggestion, Task
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
    """What one method went by; fields as in `MethodScores`, `scores` empty where they were not kept."""

    method: str
    left_out: str = ""
    scores: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    evidence: Mapping[str, str] = field(default_factory=dict)
    heat: NDArray[np.uint8] | None = None


def save_project(
    session: Session, key: str, *, label_config: str, extra_params: Mapping[str, Any], now: datetime
) -> None:
    """Remember a project's label config and parameters as /setup told them last."""
    add_once(
        session, ProjectRow, key=key, label_config=label_config, extra_params=dict(extra_params),
        first_seen=now, last_seen=now,
    )  # fmt: skip
    row = session.get_one(ProjectRow, key)
    row.label_config, row.extra_params, row.last_seen = label_config, dict(extra_params), now


def save_carried_expression(session: Session, project: str, words: str, *, at: datetime) -> None:
    """Keep an expression for the tasks that have none of their own, unless a later answer said otherwise."""
    row = session.get(ProjectRow, project)
    if row is not None and (row.kept_at is None or row.kept_at <= at):
        row.kept_words, row.kept_at = words, at


def find_carried_expression(session: Session, project: str) -> str:
    """What was kept last; "" when nothing is."""
    row = session.get(ProjectRow, project)
    return (row.kept_words or "") if row is not None else ""


def add_alternatives(
    session: Session,
    task: Task,
    digest: str,
    size: Size,
    offers: Sequence[Alternative],
    *,
    version: str,
    opinions: Sequence[MethodScores],
    proposals: Sequence[RLE] = (),
    now: datetime,
) -> None:
    """Keep what is offered for a task under a version; a second time changes nothing.

    Args:
        digest, size: of the task's image; (height, width) as displayed.
        offers: best first; none is an answer too.
        opinions: every method's: why it had no say, or what it went by and where it looked.
        proposals: what was ranked: learning needs to know what else could have come first.
    """
    add_task_image(session, task, digest, size, now=now)
    key = _add_proposals(session, size, proposals)
    is_new = add_once(
        session, TaskRow, project=task.project, task_id=task.task_id, asked=hash_task_content(task),
        image_url=task.image_url, expression=task.expression, version=version, image_digest=digest,
        left_out={o.method: o.skipped_reason for o in opinions if o.skipped_reason},
        explained={o.method: _explanation_to_json(o) for o in opinions if not o.skipped_reason},
        answered_at=now, proposals=key,
    )  # fmt: skip
    if not is_new:
        return
    row = session.scalars(_select_task_rows(task).where(TaskRow.version == version)).one()
    session.add_all(_to_suggestion_row(row.id, offer) for offer in offers)
    session.flush()


def add_task_image(session: Session, task: Task, digest: str, size: Size, *, now: datetime) -> None:
    """Remember that a task's address leads to a picture; a second time changes nothing.

    Args:
        digest, size: SHA-256 of its file; (height, width) as displayed.
    """
    address = to_address_key(to_address(task.image_url, task.project))
    add_once(session, ImageRow, digest=digest, height=size[0], width=size[1], first_seen=now)
    add_once(session, AddressRow, address=address, project=task.project, digest=digest, seen_at=now)


def find_alternatives(session: Session, task: Task, version: str) -> tuple[Alternative, ...] | None:
    """What was offered for exactly this image and expression: best first; None when it was never computed."""
    row = _find_task_row(session, task, version)
    return None if row is None else _load_alternatives(session, row)


def find_proposals(session: Session, task: Task, version: str) -> tuple[RLE, ...]:
    """What was ranked for this image and expression under a version; empty where it was not kept."""
    row = _find_task_row(session, task, version)
    kept = session.get(ProposalsRow, row.proposals) if row is not None and row.proposals else None
    return tuple(mask_from_string(counts, kept.height, kept.width) for counts in kept.masks) if kept else ()


def find_explanations(session: Session, task: Task, version: str) -> tuple[Explanation, ...]:
    """What every method went by for this image and expression under a version, by the method's name."""
    row = _find_task_row(session, task, version)
    if row is None:
        return ()
    told = [_explanation_from_json(name, said) for name, said in row.explained.items()]
    told += [Explanation(name, left_out=reason) for name, reason in row.left_out.items()]
    return tuple(sorted(told, key=lambda e: e.method))


def add_correction(
    session: Session, correction: Correction, *, version: str | None, event_id: int | None, now: datetime
) -> bool:
    """Add one version of one annotation to its history; False when it is there already.

    Args:
        version: model version of the offers it was judged against.
    """
    annotation, mask, edit = correction.annotation, correction.annotation.mask, correction.edit
    return add_once(
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
    )  # fmt: skip


def add_deletion(
    session: Session,
    project: str,
    *,
    annotation_ids: Collection[int] = (),
    task_ids: Collection[int] = (),
    event_id: int | None,
    now: datetime,
) -> None:
    """Mark annotations, or tasks with all of theirs, as gone. Their history stays."""
    gone = [("annotation", i) for i in annotation_ids] + [("task", i) for i in task_ids]
    for kind, gone_id in gone:
        add_once(
            session, DeletionRow, project=project, kind=kind, gone_id=gone_id, event=event_id, recorded_at=now
        )


def add_once(session: Session, table: type[BaseRow], **values: Any) -> bool:
    """Insert a row unless its keys are taken; whether it is new. Safe when several do it at once."""
    key = next(iter(table.__table__.primary_key))
    insert = make_insert_or_ignore(session, table).values(**values)
    return session.execute(insert.returning(key)).first() is not None


def make_insert_or_ignore(
    session: Session | Connection, table: type[BaseRow] | TableClause
) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that leaves rows alone whose keys are taken."""
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


def _explanation_to_json(opinion: MethodScores) -> dict[str, Any]:
    scores = [float(score) for score in opinion.scores]
    told: dict[str, Any] = {"evidence": dict(opinion.evidence), "scores": scores}
    if opinion.heat is not None:
        packed = base64.b64encode(opinion.heat.tobytes()).decode("ascii")
        told["heat"] = {"side": opinion.heat.shape[0], "bytes": packed}
    return told


def _explanation_from_json(method: str, told: Mapping[str, Any]) -> Explanation:
    scores = np.array(told.get("scores", ()), np.float32)
    heat = told.get("heat")
    if heat is None:
        return Explanation(method, scores=scores, evidence=told["evidence"])
    values = np.frombuffer(base64.b64decode(heat["bytes"]), np.uint8).reshape(heat["side"], -1)
    return Explanation(method, scores=scores, evidence=told["evidence"], heat=values)


def hash_task_content(task: Task) -> str:
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


def _to_suggestion_row(task: int, offer: Alternative) -> SuggestionRow:
    suggestion = offer.suggestion
    x1, y1, x2, y2 = suggestion.box
    methods = {name: {"score": said.score, "rank": said.rank} for name, said in suggestion.methods.items()}
    return SuggestionRow(
        task=task, rank=suggestion.rank, place=offer.place, region_id=offer.region_id, score=suggestion.score,
        counts=rle.to_string(suggestion.mask), height=suggestion.mask.size[0], width=suggestion.mask.size[1],
        x1=x1, y1=y1, x2=x2, y2=y2, methods=methods,
    )  # fmt: skip


def _load_alternatives(session: Session, task: TaskRow) -> tuple[Alternative, ...]:
    query = select(SuggestionRow).where(SuggestionRow.task == task.id).order_by(SuggestionRow.rank)
    return tuple(to_alternative(row, task.version) for row in session.scalars(query))


def to_alternative(row: SuggestionRow, version: str) -> Alternative:
    methods = {name: MethodScore(said["score"], said["rank"]) for name, said in row.methods.items()}
    mask = mask_from_string(row.counts, row.height, row.width)
    box = (row.x1, row.y1, row.x2, row.y2)
    return Alternative(row.region_id, Suggestion(row.rank, row.score, mask, box, methods, version), row.place)


def mask_from_string(counts: str, height: int, width: int) -> RLE:
    """A stored mask."""
    return rle.from_string(counts, (height, width))
