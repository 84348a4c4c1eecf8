"""An annotator, played through Label Studio's own API the way the editor would send it."""

import random
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ris.core.masks import compute_iou
from ris.core.types import Verdict
from ris.labelstudio.config.control import Controls
from ris.labelstudio.masks import brush
from tests.live.support.project import Project

Prediction = dict[str, Any]
_BRUSH_RADIUS_PX = 6


@dataclass(frozen=True, slots=True)
class Action:
    """What the annotator did with one task, and what must therefore be on record.

    Attributes:
        rank: of the alternative that was taken, 0 is best; None where none was.
    """

    task_id: int
    annotation_id: int
    verdict: Verdict
    rank: int | None


@dataclass(frozen=True, slots=True)
class Annotator:
    """Submits answers to a project's tasks; the same seed does the same."""

    project: Project
    controls: Controls
    seed: int = 0

    def accept(self, task_id: int, offered: Sequence[Prediction], rank: int) -> Action:
        """Submit one alternative as it is."""
        chosen = offered[rank]
        return self._submit(task_id, chosen["result"], Verdict.ACCEPTED, rank, parent_prediction=chosen["id"])

    def fix(self, task_id: int, offered: Sequence[Prediction], rank: int) -> Action:
        """Paint at one alternative's edge and submit: the region keeps its id, its mask changes."""
        chosen = offered[rank]
        region = deepcopy(chosen["result"][0])
        size = region["original_height"], region["original_width"]
        mask = brush.decode_brush(region["value"]["rle"], size)
        region["value"]["rle"] = brush.encode_brush(repaint_mask(mask, random.Random(self.seed + task_id)))
        region["origin"] = "prediction-changed"
        return self._submit(task_id, [region], Verdict.EDITED, rank, parent_prediction=chosen["id"])

    def redraw(self, task_id: int, offered: Sequence[Prediction], mask: NDArray[np.bool_]) -> Action:
        """Delete what was offered and draw another mask: a new region with an id of the editor's."""
        rng = random.Random(self.seed + task_id)
        region = {
            "id": "".join(rng.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=10)),
            "from_name": self.controls.from_name,
            "to_name": self.controls.to_name,
            "type": self.controls.region_type,
            "origin": "manual",
            "original_width": mask.shape[1],
            "original_height": mask.shape[0],
            "image_rotation": 0,
            "value": {"format": "rle", "rle": brush.encode_brush(mask), "brushlabels": [self.controls.label]},
        }
        return self._submit(task_id, [region], Verdict.REDRAWN, None, parent_prediction=offered[0]["id"])

    def mark_no_referent(self, task_id: int, offered: Sequence[Prediction]) -> Action:
        """Delete the mask and choose "object not in image"."""
        choice = self.controls.no_referent
        result = [
            {
                "id": "choice0",
                "from_name": choice.from_name,
                "to_name": choice.to_name,
                "type": "choices",
                "origin": "manual",
                "value": {"choices": [choice.value]},
            }
            for choice in ([choice] if choice else [])
        ]
        return self._submit(task_id, result, Verdict.NO_REFERENT, None, parent_prediction=offered[0]["id"])

    def skip(self, task_id: int, offered: Sequence[Prediction]) -> Action:
        """Skip: the pre-selected mask is still in what Label Studio sends."""
        best = offered[0]
        return self._submit(
            task_id, best["result"], Verdict.SKIPPED, None, parent_prediction=best["id"], was_cancelled=True
        )

    def _submit(
        self, task_id: int, result: list[dict[str, Any]], verdict: Verdict, rank: int | None, **more: Any
    ) -> Action:
        return Action(task_id, self.project.annotate(task_id, result, **more), verdict, rank)


def find_closest_prediction(offered: Sequence[Prediction], truth: NDArray[np.bool_]) -> tuple[int, float]:
    """Which of the alternatives is most like the mask that is meant: its rank and its IoU."""
    ious = [
        compute_iou(
            brush.decode_brush(p["result"][0]["value"]["rle"], (truth.shape[0], truth.shape[1])), truth
        )
        for p in offered
    ]
    best = int(np.argmax(ious))
    return best, ious[best]


def repaint_mask(mask: NDArray[np.bool_], rng: random.Random) -> NDArray[np.bool_]:
    """The mask with one dab of the brush at its edge and one of the eraser: always another mask."""
    rows, columns = np.nonzero(mask)
    painted = mask.copy()
    for value in (True, False):
        i = rng.randrange(len(rows))
        painted[_make_brush_mask(mask.shape, int(rows[i]), int(columns[i]) + _BRUSH_RADIUS_PX * value)] = (
            value
        )
    return painted


def _make_brush_mask(shape: tuple[int, ...], row: int, column: int) -> NDArray[np.bool_]:
    y, x = np.ogrid[: shape[0], : shape[1]]
    return np.asarray((y - row) ** 2 + (x - column) ** 2 <= _BRUSH_RADIUS_PX**2)
