"""COCO, with run lengths or with polygons; the expression is an attribute of its annotation.

Both give back every pixel: polygons run along the edges of pixels, and a mask with holes is several of them.

Every decision is one annotation, except those that mean no mask: a skipped task and an expression
without a referent. Those stand in `info.without_mask`, each with its reason.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from backend.core import rle
from backend.core.decision import Decision
from backend.core.outline import edge_outlines
from backend.core.rle import RLE
from backend.core.types import Size

CATEGORY = {"id": 1, "name": "referent", "supercategory": ""}


def run_lengths(mask: RLE) -> dict[str, Any]:
    """`segmentation` as COCO's compressed run length."""
    return {"size": list(mask.size), "counts": rle.to_string(mask)}


def polygons(mask: RLE) -> list[list[float]]:
    """`segmentation` as polygons, [x1, y1, x2, y2, ...] each."""
    return [outline.astype(float).ravel().tolist() for outline in edge_outlines(mask)]


def write_coco(
    decisions: Sequence[Decision], path: Path, segmentation: Callable[[RLE], object] = run_lengths
) -> None:
    """Write one JSON file; the same decisions give the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = as_coco(decisions, segmentation)
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def as_coco(
    decisions: Sequence[Decision], segmentation: Callable[[RLE], object] = run_lengths
) -> dict[str, Any]:
    """The content of the file; image ids follow the order of first appearance."""
    images: dict[tuple[str, str], dict[str, Any]] = {}
    annotations: list[dict[str, Any]] = []
    without: list[dict[str, Any]] = []
    for decision in decisions:
        annotation = decision.correction.annotation
        mask = annotation.mask if decision.correction.verdict.has_mask else None
        size = mask.size if mask else decision.image_size
        image = _image(images, decision, size)
        if mask is None:
            without.append({"image_id": image["id"], **_about(decision)})
        else:
            number = len(annotations) + 1
            annotations.append(_annotation(number, image["id"], mask, segmentation(mask), decision))
    return {
        "info": {"description": "referring expressions, corrected", "without_mask": without},
        "images": list(images.values()),
        "annotations": annotations,
        "categories": [CATEGORY],
    }


def _image(
    images: dict[tuple[str, str], dict[str, Any]], decision: Decision, size: Size | None
) -> dict[str, Any]:
    task = decision.correction.annotation.task
    height, width = size or (0, 0)
    entry = {
        "id": len(images) + 1,
        "file_name": task.image_url,
        "height": height,
        "width": width,
        "sha256": decision.image_digest,
        "project": task.project,
    }
    return images.setdefault((task.project, task.image_url), entry)


def _annotation(
    number: int, image_id: int, mask: RLE, segmentation: object, decision: Decision
) -> dict[str, Any]:
    return {
        "id": number,
        "image_id": image_id,
        "category_id": CATEGORY["id"],
        "segmentation": segmentation,
        "area": mask.area_px,
        "bbox": rle.box_xywh(mask),
        "iscrowd": 0,
        "attributes": _about(decision),
    }


def _about(decision: Decision) -> dict[str, Any]:
    correction, annotation = decision.correction, decision.correction.annotation
    return {
        "expression": annotation.task.expression,
        "verdict": correction.verdict.value,
        "rank": correction.rank,
        "iou": correction.iou,
        "task_id": annotation.task.task_id,
        "annotation_id": annotation.annotation_id,
        "annotator": annotation.annotator,
        "model_version": decision.version,
    }
