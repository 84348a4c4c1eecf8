"""Pictures of decisions: the worst misses and the largest edits."""

import base64
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from ris.core.decision import Decision
from ris.core.types import Task, Verdict
from ris.errors import BackendError
from ris.evaluation.decisions.table import DecisionTable
from ris.evaluation.drawing import FINAL_COLOUR, draw_masks

MAX_GALLERY_PICTURES = 12
PANE_PX = 420


@dataclass(frozen=True, slots=True)
class GalleryPicture:
    """One picture of a gallery.

    Attributes:
        picture: the picture as a data: URI; "" if there is none.
        missing: the reason why there is no picture; "" if there is one.
        expression: the expression of the task.
        detail: task, verdict and IoU as a line of text.
    """

    picture: str
    missing: str
    expression: str
    detail: str


@dataclass(frozen=True, slots=True)
class Gallery:
    """Pictures under one title.

    The list is not named `items`, because Jinja would read `gallery.items` as the method of a dict.
    """

    title: str
    pictures: Sequence[GalleryPicture]


def make_galleries(
    table: DecisionTable,
    read_decisions: Callable[[Sequence[int]], Sequence[Decision]],
    read_pixels: Callable[[Task], NDArray[np.uint8]],
) -> list[Gallery]:
    """Draw the decisions with the worst first alternative, and those that were edited most.

    Args:
        table: the decisions.
        read_decisions: returns the decisions of some `row_id`, in their order.
        read_pixels: returns the image of a task, uint8 [H, W, 3], RGB, or raises a BackendError.
    """
    first = table.compute_ious("first")
    misses = np.flatnonzero(table.rows["has_mask"] & (first < 0.5))
    misses = misses[np.argsort(first[misses], kind="stable")]
    edit_px = table.rows["edit_px"]
    edits = np.flatnonzero(table.rows["has_mask"] & table.is_verdict(Verdict.EDITED) & (edit_px > 0))
    edits = edits[np.argsort(-edit_px[edits], kind="stable")]
    galleries = []
    for title, order in (("The worst misses", misses), ("The largest edits", edits)):
        chosen = order[:MAX_GALLERY_PICTURES]
        decisions = read_decisions(table.rows["row_id"][chosen].tolist()) if len(chosen) else []
        pictures = [
            _make_gallery_picture(decision, float(iou), read_pixels)
            for decision, iou in zip(decisions, first[chosen], strict=True)
        ]
        if pictures:
            galleries.append(Gallery(title, pictures))
    return galleries


def _make_gallery_picture(
    decision: Decision, iou: float, read_pixels: Callable[[Task], NDArray[np.uint8]]
) -> GalleryPicture:
    task, verdict = decision.correction.annotation.task, decision.correction.verdict
    detail = f"task {task.task_id}, {verdict.value}, IoU of the first alternative {iou:.2f}"
    try:
        picture = _draw_decision(decision, read_pixels(task))
        return GalleryPicture(picture, "", task.expression, detail)
    except BackendError as error:
        return GalleryPicture("", str(error), task.expression, detail)


def _draw_decision(decision: Decision, image: NDArray[np.uint8]) -> str:
    """Draw the alternatives (left) and the final mask (right); masks of another size are not drawn."""
    final = decision.correction.annotation.mask
    masks = [alternative.suggestion.mask for alternative in decision.alternatives]
    alternatives = [mask for mask in masks if mask.size == image.shape[:2]]
    finals = [final] if final is not None and final.size == image.shape[:2] else []
    factor = PANE_PX / image.shape[1]
    left = draw_masks(image, alternatives, factor=factor)
    right = draw_masks(image, finals, [FINAL_COLOUR], factor=factor)
    both = Pillow.new("RGB", (left.width + right.width + 4, left.height), "white")
    both.paste(left, (0, 0))
    both.paste(right, (left.width + 4, 0))
    file = io.BytesIO()
    both.save(file, "JPEG", quality=82)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode("ascii")
