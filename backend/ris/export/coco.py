"""COCO, with run lengths or polygons; the expression is an attribute of the annotation.

Both are lossless: polygons follow the edges of the pixels, and a mask with holes has several polygons. Images
with the same bytes are one image. `file_name` is the name that `ris export --images` gives the file.

Each decision is one annotation. Skipped tasks and expressions without a referent have no mask; they are
listed in `info.without_mask`. A decision whose image is unknown is an omission.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ris.core import rle
from ris.core.decision import Decision
from ris.core.outline import trace_edge_outlines
from ris.core.rle import RLE
from ris.export.dataset import UnseenReasons, find_decision_problem, get_mask
from ris.export.imagefile import ImageBook, ImageFile, ImageNumbers
from ris.export.omissions import Omit
from ris.export.text import SpooledList, write_json_with_lists
from ris.redaction.text import redact_text

_CATEGORY = {"id": 1, "name": "referent", "supercategory": ""}


def to_run_lengths(mask: RLE) -> dict[str, Any]:
    """Convert a mask to COCO's compressed run lengths, {"size": [height, width], "counts": text}."""
    return {"size": list(mask.size), "counts": rle.to_string(mask)}


def to_polygons(mask: RLE) -> list[list[float]]:
    """Convert a mask to polygons [x1, y1, x2, y2, ...] in pixels, along the edges of the pixels."""
    return [outline.astype(float).ravel().tolist() for outline in trace_edge_outlines(mask)]


def write_coco(
    decisions: Iterable[Decision],
    path: Path,
    segmentation: Callable[[RLE], object] = to_run_lengths,
    *,
    images: ImageBook,
    omit: Omit,
    unseen: UnseenReasons = lambda task: "",
) -> None:
    """Write one JSON file; the same decisions give the same bytes.

    Image ids follow the order of first appearance, from 1.

    Args:
        decisions: the decisions to write.
        path: the file.
        segmentation: converts a mask, `to_run_lengths` or `to_polygons`.
        images: the images of the decisions.
        omit: is called with each decision that is not in the file, and the reason.
        unseen: why images could not be fetched, for these reasons.
    """
    without = SpooledList(path.parent, indent=1, depth=2)
    listed, annotations = (SpooledList(path.parent, indent=1, depth=1) for _ in range(2))
    numbers = ImageNumbers()
    n_annotations = 0
    for decision in decisions:
        problem = find_decision_problem(decision, unseen)
        if problem or decision.image_digest is None:
            omit(decision, problem)
            continue
        file = images.find(decision.image_digest)
        image_id, is_new = numbers.assign(file)
        if is_new:
            listed.add(_make_image(image_id, file))
        mask = get_mask(decision)
        if mask is None:
            without.add({"image_id": image_id, **_make_attributes(decision)})
        else:
            n_annotations += 1
            annotations.add(_make_annotation(n_annotations, image_id, mask, segmentation(mask), decision))
    content = {
        "info": {"description": "referring expressions, corrected", "without_mask": without},
        "images": listed,
        "annotations": annotations,
        "categories": [_CATEGORY],
    }
    write_json_with_lists(content, path, indent=1)


def _make_image(image_id: int, file: ImageFile) -> dict[str, Any]:
    return {
        "id": image_id,
        "file_name": file.name,
        "height": file.size[0],
        "width": file.size[1],
        "sha256": file.digest,
        "image_url": redact_text(file.image_url),
    }


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
