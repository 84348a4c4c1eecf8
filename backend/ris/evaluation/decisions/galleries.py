"""Pictures of decisions: the worst misses and the largest edits."""

import base64
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image as Pillow

from ris.core.decision import Decision
from ris.core.types import Image, Task, Verdict
from ris.errors import BackendError
from ris.evaluation.decisions.table import DecisionTable
from ris.evaluation.drawing import FINAL_COLOUR, draw_masks

MAX_GALLERY_PICTURES = 12
PANE_PX = 420  # the width of a picture
MAX_PANE_HEIGHT_PX = 1260  # of a very tall one, which is narrower


@dataclass(frozen=True, slots=True)
class GalleryPicture:
    """One picture of a gallery.

    Attributes:
        picture: address of the picture, such as a data: URI; "" if there is none.
        missing: the reason why there is no picture; "" if there is one.
        expression: the expression of the task.
        detail: task, verdict and IoU as a line of text.
        address: of the task in Label Studio; "" if that is unknown.
    """

    picture: str
    missing: str
    expression: str
    detail: str
    address: str = ""


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
    show_picture: Callable[[int, Decision], str],
    link_task: Callable[[Task], str],
) -> list[Gallery]:
    """Show the decisions with the worst first alternative, and those that were edited most.

    Args:
        table: the decisions.
        read_decisions: returns the decisions of some `row_id`, in their order.
        show_picture: returns the address of the picture of a `row_id` and its decision, such as a data: URI,
            or raises a BackendError.
        link_task: returns the address of a task in Label Studio; "" if that is unknown.
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
        row_ids = table.rows["row_id"][chosen].tolist()
        decisions = read_decisions(row_ids) if row_ids else []
        pictures = []
        for row_id, decision, iou in zip(row_ids, decisions, first[chosen], strict=True):
            task, verdict = decision.correction.annotation.task, decision.correction.verdict.value
            detail = f"task {task.task_id}, {verdict}, IoU of the first alternative {iou:.2f}"
            picture, missing = "", ""
            try:
                picture = show_picture(row_id, decision)
            except BackendError as error:
                missing = str(error)
            pictures.append(GalleryPicture(picture, missing, task.expression, detail, link_task(task)))
        if pictures:
            galleries.append(Gallery(title, pictures))
    return galleries


def to_data_uri(jpeg: bytes) -> str:
    """Return the data: URI of a JPEG file."""
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")


def draw_decision(decision: Decision, image: Image) -> bytes:
    """Draw the alternatives (left) and the final mask (right) as a JPEG file.

    Args:
        decision: masks of another size than the image are not drawn.
        image: the image of its task.
    """
    final = decision.correction.annotation.mask
    masks = [alternative.suggestion.mask for alternative in decision.alternatives]
    alternatives = [mask for mask in masks if mask.size == image.size]
    finals = [final] if final is not None and final.size == image.size else []
    factor = min(PANE_PX / image.pixels.shape[1], MAX_PANE_HEIGHT_PX / image.pixels.shape[0])
    left = draw_masks(image.pixels, alternatives, factor=factor)
    right = draw_masks(image.pixels, finals, [FINAL_COLOUR], factor=factor)
    both = Pillow.new("RGB", (left.width + right.width + 4, left.height), "white")
    both.paste(left, (0, 0))
    both.paste(right, (left.width + 4, 0))
    file = io.BytesIO()
    both.save(file, "JPEG", quality=82)
    return file.getvalue()
