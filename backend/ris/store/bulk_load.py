"""Store the suggestions of many images in few statements, as `records.add_alternatives` does for one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert
from sqlalchemy.orm import Session

from ris.core.address import to_address, to_address_key
from ris.core.types import Absence, Box, MethodScore, MethodScores, Size, Task
from ris.redaction.text import redact_text
from ris.store.records import (
    explanations_to_json,
    hash_proposals,
    hash_task_content,
    make_insert_or_ignore,
)
from ris.store.schema import AddressRow, BaseRow, ImageRow, ProposalsRow, SuggestionRow, TaskRow


@dataclass(frozen=True, slots=True)
class ComputedMask:
    """An alternative with its mask as COCO's compressed string; see `core.types.Alternative`."""

    region_id: str
    place: int | None
    rank: int
    score: float
    counts: str
    box: Box
    methods: Mapping[str, MethodScore]
    late_method: str = ""
    absence: Absence | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ComputedTask:
    """A task with its alternatives.

    Attributes:
        task: the task.
        alternatives: best first.
        method_scores: of every method.
        late: the proposals that were made for its expression alone: the method, and the mask as COCO's
            compressed string.
    """

    task: Task
    alternatives: Sequence[ComputedMask]
    method_scores: Sequence[MethodScores]
    late: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True, eq=False)
class ComputedImage:
    """The tasks of an image.

    Attributes:
        digest: SHA-256 of its file.
        size: (height, width) in pixels as displayed.
        masks: its proposals as COCO's compressed strings.
        tasks: some of its tasks.
    """

    digest: str
    size: Size
    masks: Sequence[str]
    tasks: Sequence[ComputedTask]


def add_computed_images(
    session: Session, images: Sequence[ComputedImage], *, version: str, now: datetime
) -> int:
    """Store images with their tasks under a version, except tasks that are stored already.

    Args:
        session: of the database; it is one transaction.
        images: some hundred tasks in all.
        version: of the alternatives.
        now: the time, in UTC.

    Returns:
        The number of tasks that are new.
    """
    connection = session.connection()
    keys = [_find_proposals_key(image) for image in images]
    pairs = list(zip(images, keys, strict=True))
    _insert_new(connection, ImageRow, "digest", [_make_image_row(image, now) for image in images])
    addresses = [_make_address_row(image, one.task, now) for image in images for one in image.tasks]
    _insert_new(connection, AddressRow, "address", addresses)
    _insert_new(connection, ProposalsRow, "key", [_make_proposals_row(i, key) for i, key in pairs if key])
    rows = [_make_task_row(one, image, key, version, now) for image, key in pairs for one in image.tasks]
    ids = _insert_tasks(connection, rows)
    suggestions = [
        _make_suggestion_row(ids[task_key], image.size, alternative)
        for image in images
        for one in image.tasks
        if (task_key := _get_task_key(one.task)) in ids
        for alternative in one.alternatives
    ]
    if suggestions:
        connection.execute(insert(SuggestionRow), suggestions)
    return len(ids)


def _insert_new(connection: Connection, table: type[BaseRow], key: str, rows: list[dict[str, Any]]) -> None:
    """Insert rows unless they are there; in the order of a key, so that writers cannot deadlock."""
    if rows:
        different = {row[key]: row for row in reversed(rows)}
        connection.execute(
            make_insert_or_ignore(connection, table), [different[k] for k in sorted(different)]
        )


def _insert_tasks(connection: Connection, rows: Sequence[dict[str, Any]]) -> dict[tuple[str, int, str], int]:
    """Insert tasks unless they are there; return the row ids of those that are new."""
    if not rows:
        return {}
    statement = make_insert_or_ignore(connection, TaskRow).returning(
        TaskRow.id, TaskRow.project, TaskRow.task_id, TaskRow.asked
    )
    found = connection.execute(statement, sorted(rows, key=lambda row: (row["project"], row["task_id"])))
    return {(project, task_id, asked): row_id for row_id, project, task_id, asked in found}


def _get_task_key(task: Task) -> tuple[str, int, str]:
    return task.project, task.task_id, hash_task_content(task)


def _find_proposals_key(image: ComputedImage) -> str | None:
    """Return the key of the proposals; None where no task has any, not even a late one."""
    if not image.masks and not any(one.late for one in image.tasks):
        return None
    return hash_proposals(image.size, image.masks)


def _make_image_row(image: ComputedImage, now: datetime) -> dict[str, Any]:
    return {"digest": image.digest, "height": image.size[0], "width": image.size[1], "first_seen": now}


def _make_address_row(image: ComputedImage, task: Task, now: datetime) -> dict[str, Any]:
    address = to_address_key(to_address(task.image_url, task.project))
    return {"address": address, "project": task.project, "digest": image.digest, "seen_at": now}


def _make_proposals_row(image: ComputedImage, key: str) -> dict[str, Any]:
    return {"key": key, "height": image.size[0], "width": image.size[1], "masks": list(image.masks)}


def _make_task_row(
    one: ComputedTask, image: ComputedImage, proposals: str | None, version: str, now: datetime
) -> dict[str, Any]:
    project, task_id, asked = _get_task_key(one.task)
    scores = one.method_scores
    return {
        "project": project,
        "task_id": task_id,
        "asked": asked,
        "image_url": one.task.image_url,
        "expression": one.task.expression,
        "version": version,
        "image_digest": image.digest,
        "left_out": {m.method: redact_text(m.skipped_reason) for m in scores if m.skipped_reason},
        "explained": explanations_to_json(scores),
        "answered_at": now,
        "proposals": proposals,
        "late_proposals": [list(each) for each in one.late] or None,
    }


def _make_suggestion_row(task: int, size: Size, one: ComputedMask) -> dict[str, Any]:
    x1, y1, x2, y2 = one.box
    methods = {name: {"score": each.score, "rank": each.rank} for name, each in one.methods.items()}
    return {
        "task": task, "rank": one.rank, "place": one.place, "region_id": one.region_id, "score": one.score,
        "counts": one.counts, "height": size[0], "width": size[1], "x1": x1, "y1": y1, "x2": x2, "y2": y2,
        "methods": methods, "late_method": one.late_method or None,
        "absence_chance": one.absence.chance if one.absence else None,
        "is_absence_prechosen": one.absence.is_prechosen if one.absence else None,
    }  # fmt: skip
