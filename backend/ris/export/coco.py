"""COCO, with run lengths or polygons; the expression is an attribute of the annotation.

Both are lossless: polygons follow the edges of the pixels, and a mask with holes has several polygons. Images
with the same bytes are one image. `file_name` is the name that `ris export --images` gives the file.

Each decision is one annotation. Skipped tasks and expressions without a referent have no mask; they are
listed in `info.without_mask`. A decision whose image is unknown is an omission.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ris.core import rle
from ris.core.decision import Decision
from ris.core.outline import trace_edge_outlines
from ris.core.rle import RLE
from ris.export.dataset import Omission, UnseenReasons, find_image_problem, get_mask
from ris.export.imagefile import ImageFile, find_image_files
from ris.export.text import write_json
from ris.redaction.text import redact_text

_CATEGORY = {"id": 1, "name": "referent", "supercategory": ""}


def to_run_lengths(mask: RLE) -> dict[str, Any]:
    """Convert a mask to COCO's compressed run lengths, {"size": [height, width], "counts": text}."""
    return {"size": list(mask.size), "counts": rle.to_string(mask)}


def to_polygons(mask: RLE) -> list[list[float]]:
    """Convert a mask to polygons [x1, y1, x2, y2, ...] in pixels, along the edges of the pixels."""
    return [outline.astype(float).ravel().tolist() for outline in trace_edge_outlines(mask)]


def write_coco(
    decisions: Sequence[Decision],
    path: Path,
    segmentation: Callable[[RLE], object] = to_run_lengths,
    *,
    files: Mapping[str, ImageFile] | None = None,
    unseen: UnseenReasons | None = None,
) -> list[Omission]:
    """Write one JSON file; the same decisions give the same bytes.

    Args:
        decisions: the decisions to write.
        path: the file.
        segmentation: converts a mask, `to_run_lengths` or `to_polygons`.
        files: image files by digest; None collects them from the decisions.
        unseen: why images could not be fetched, for the reasons of omissions.

    Returns:
        The decisions that are not in the file, with reasons.
    """
    problems = [find_image_problem(decision, unseen or {}) for decision in decisions]
    usable = [d for d, problem in zip(decisions, problems, strict=True) if not problem]
    content = to_coco(usable, segmentation, find_image_files(decisions) if files is None else files)
    write_json(content, path, indent=1)
    return [Omission(d, problem) for d, problem in zip(decisions, problems, strict=True) if problem]


def to_coco(
    decisions: Sequence[Decision],
    segmentation: Callable[[RLE], object],
    files: Mapping[str, ImageFile],
) -> dict[str, Any]:
    """Make the content of the file. Image ids follow the order of first appearance, from 1.

    Args:
        decisions: decisions whose images are known.
        segmentation: converts a mask.
        files: image files by digest.
    """
    images: dict[str, dict[str, Any]] = {}
    annotations: list[dict[str, Any]] = []
    without: list[dict[str, Any]] = []
    for decision in decisions:
        mask = get_mask(decision)
        image = _add_image(images, decision, files)
        if mask is None:
            without.append({"image_id": image["id"], **_make_attributes(decision)})
        else:
            number = len(annotations) + 1
            annotations.append(_make_annotation(number, image["id"], mask, segmentation(mask), decision))
    return {
        "info": {"description": "referring expressions, corrected", "without_mask": without},
        "images": list(images.values()),
        "annotations": annotations,
        "categories": [_CATEGORY],
    }


def _add_image(
    images: dict[str, dict[str, Any]], decision: Decision, files: Mapping[str, ImageFile]
) -> dict[str, Any]:
    digest, size = decision.image_digest, decision.image_size
    assert digest is not None and size is not None
    entry = {
        "id": len(images) + 1,
        "file_name": files[digest].name,
        "height": size[0],
        "width": size[1],
        "sha256": digest,
        "image_url": redact_text(files[digest].tasks[0].image_url),
    }
    return images.setdefault(digest, entry)


def _make_annotation(
    number: int, image_id: int, mask: RLE, segmentation: object, decision: Decision
) -> dict[str, Any]:
    return {
        "id": number,
        "image_id": image_id,
        "category_id": _CATEGORY["id"],
        "segmentation": segmentation,
        "area": mask.area_px,
        "bbox": rle.compute_xywh_box(mask),
        "iscrowd": 0,
        "attributes": _make_attributes(decision),
    }


def _make_attributes(decision: Decision) -> dict[str, Any]:
    correction, annotation = decision.correction, decision.correction.annotation
    return {
        "expression": annotation.task.expression,
        "verdict": correction.verdict.value,
        "rank": correction.rank,
        "iou": correction.iou,
        "project": annotation.task.project,
        "task_id": annotation.task.task_id,
        "annotation_id": annotation.annotation_id,
        "annotator": annotation.annotator,
        "model_version": decision.version,
    }
