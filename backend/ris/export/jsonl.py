"""JSON Lines: one decision per line, with all alternatives that were on the screen."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ris.core import rle
from ris.core.decision import Decision
from ris.core.rle import RLE
from ris.core.types import Alternative
from ris.export.text import write_lines
from ris.redaction.text import redact_text


def write_jsonl(decisions: Iterable[Decision], path: Path) -> None:
    """Write one file with one line for each decision; the same decisions give the same bytes."""
    write_lines((to_json_line(decision) for decision in decisions), path)


def to_json_line(decision: Decision) -> dict[str, Any]:
    """Convert a decision to an object for JSON; masks are COCO run lengths."""
    correction, annotation = decision.correction, decision.correction.annotation
    mask = annotation.mask if correction.verdict.has_mask else None
    return {
        "project": annotation.task.project,
        "task_id": annotation.task.task_id,
        "annotation_id": annotation.annotation_id,
        "image": redact_text(annotation.task.image_url),
        "image_sha256": decision.image_digest,
        "image_size": list(decision.image_size) if decision.image_size else None,
        "expression": annotation.task.expression,
        "verdict": correction.verdict.value,
        "rank": correction.rank,
        "iou": correction.iou,
        "mask": _to_run_length(mask) if mask else None,
        "annotator": annotation.annotator,
        "lead_time_s": annotation.lead_time_s,
        "updated_at": annotation.updated_at.isoformat(),
        "model_version": decision.version,
        "alternatives": [_to_alternative(alternative) for alternative in decision.alternatives],
    }


def _to_run_length(mask: RLE) -> dict[str, Any]:
    return {"size": list(mask.size), "counts": rle.to_string(mask)}


def _to_alternative(alternative: Alternative) -> dict[str, Any]:
    suggestion = alternative.suggestion
    return {
        "rank": suggestion.rank,
        "score": suggestion.score,
        "region_id": alternative.region_id,
        "mask": _to_run_length(suggestion.mask),
        "methods": {name: {"score": own.score, "rank": own.rank} for name, own in suggestion.methods.items()},
    }
