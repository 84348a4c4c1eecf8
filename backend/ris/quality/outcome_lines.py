"""Settled tasks as lines of JSON: the answer that counts, and whose answer it took."""

from typing import Any

from ris.core import rle
from ris.core.types import Correction
from ris.redaction.text import redact_text
from ris.store.settled import SettledTask


def to_outcome_line(settled: SettledTask) -> dict[str, Any]:
    """Convert a settled task to an object for JSON; masks are COCO run lengths."""
    task, answer = settled.adjudication.source, settled.outcome.annotation
    mask = answer.mask if settled.outcome.verdict.has_mask else None
    return {
        "project": task.project,
        "task_id": task.task_id,
        "image": redact_text(task.image_url),
        "expression": task.expression,
        "outcome": _to_answer(settled.outcome),
        "settled_in": {"project": answer.task.project, "task_id": answer.task.task_id},
        "mask": {"size": list(mask.size), "counts": rle.to_string(mask)} if mask else None,
        "taken": [_to_answer(one) for one in settled.taken],
        "offered": [[_to_answer(one) for one in own] for own in settled.answers],
    }


def _to_answer(correction: Correction) -> dict[str, Any]:
    answer = correction.annotation
    return {
        "annotation_id": answer.annotation_id,
        "annotator": answer.annotator,
        "updated_at": answer.updated_at.isoformat(),
        "verdict": correction.verdict.value,
    }
