"""A vision-language model that knows the drawn scenes and errs at a set rate, to measure what it is worth.

It answers the questions of `grounder` and `verifier` in the words of Qwen3-VL, from the truth of the scene
that it was told. It makes an error in a set share of the questions. What it does with a question depends on
the question alone.
"""

import hashlib
import json
import random
import re
from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from ris.core.types import Box, Size
from ris.labelstudio.images.decoding import decode_image
from ris.referring.grounding.question import Question, Reply
from ris.referring.marks import MARK_COLOURS

_MARKS = re.compile(r"numbered from 1 to (\d)")
_MIN_MARK_IOU = 0.5  # of the mark's box with the referent's
_NONE_SHARE = (
    1 / 3
)  # of its errors about a thing that is there; the others are another thing or a wrong place
_MAX_PIXELS = 4_000_000
_CHANGED = 60  # a pixel that was drawn on differs by more, also after compression
_NEAR = 50  # to a mark's colour


class DrawnModel:
    """The model. Tell it each scene before its questions.

    Args:
        right_rate: share of the questions that it answers rightly.
    """

    model = "drawn"

    def __init__(self, right_rate: float) -> None:
        self.right_rate = right_rate
        self.n_questions = 0
        self._pixels: NDArray[np.uint8] = np.zeros((1, 1, 3), np.uint8)
        self._before: NDArray[np.uint8] = self._pixels
        self._referents: Mapping[str, Box | None] = {}
        self._things: Sequence[Box] = ()

    def tell(
        self, pixels: NDArray[np.uint8], referents: Mapping[str, Box | None], things: Sequence[Box]
    ) -> None:
        """Tell a scene.

        Args:
            pixels: uint8 [H, W, 3], RGB.
            referents: by expression, the box of its referent, XYXY in pixels; None if it has none.
            things: the boxes of all things.
        """
        height, width = pixels.shape[:2]
        self._pixels = self._before = pixels
        self._referents = {e: box and _scale(box, 1 / width, 1 / height) for e, box in referents.items()}
        self._things = [_scale(box, 1 / width, 1 / height) for box in things]

    def ask(self, question: Question) -> Reply:
        """Answer a question about the scene that was told last."""
        self.n_questions += 1
        rng = random.Random(hashlib.sha256(question.picture + question.prompt.encode()).hexdigest())
        is_right = rng.random() < self.right_rate
        named = max((e for e in self._referents if e in question.prompt), key=len, default="")
        referent = self._referents.get(named)
        if marks := _MARKS.search(question.prompt):
            return Reply(str(self._choose_mark(question.picture, int(marks[1]), referent, is_right, rng)))
        box = referent if is_right else self._err(referent, rng)
        found = [] if box is None else [{"bbox_2d": [round(1000 * side) for side in box], "label": named}]
        return Reply(json.dumps(found))

    def _err(self, referent: Box | None, rng: random.Random) -> Box | None:
        others = [box for box in self._things if box != referent]
        if referent is None:
            return rng.choice(others)
        if rng.random() < _NONE_SHARE:
            return None
        return rng.choice([*others, _shift(referent, rng)])

    def _choose_mark(
        self, picture: bytes, n_marks: int, referent: Box | None, is_right: bool, rng: random.Random
    ) -> int:
        drawn = decode_image(picture, max_pixels=_MAX_PIXELS).pixels
        if self._before.shape != drawn.shape:
            self._before = resize_picture(self._pixels, (drawn.shape[0], drawn.shape[1]))
        boxes = find_marks(drawn, self._before)
        overlaps = {number: _compute_iou(box, referent) for number, box in boxes.items() if referent}
        right = max(overlaps, key=lambda number: overlaps[number], default=0)
        right = right if overlaps.get(right, 0.0) >= _MIN_MARK_IOU else 0
        if is_right:
            return right
        return rng.choice([number for number in range(n_marks + 1) if number != right])


def find_marks(drawn: NDArray[np.uint8], before: NDArray[np.uint8]) -> dict[int, Box]:
    """Find the outlines that `draw_marks` drew: their boxes, XYXY in shares of the sides, by number.

    Args:
        drawn: uint8 [h, w, 3], the picture with the outlines.
        before: uint8 [h, w, 3], the picture without them.
    """
    height, width = drawn.shape[:2]
    red, green, blue = cv2.split(cv2.absdiff(drawn, before))
    rows, columns = (cv2.max(cv2.max(red, green), blue) > _CHANGED).nonzero()
    changed = drawn[rows, columns].astype(np.int16)
    found: dict[int, Box] = {}
    for number, colour in enumerate(MARK_COLOURS, 1):
        is_mark = np.abs(changed - np.array(colour, np.int16)).max(-1) < _NEAR
        if is_mark.any():
            x, y = columns[is_mark], rows[is_mark]
            x1, y1, x2, y2 = x.min(), y.min(), x.max() + 1, y.max() + 1
            found[number] = (x1 / width, y1 / height, x2 / width, y2 / height)
    return found


def resize_picture(pixels: NDArray[np.uint8], size: Size) -> NDArray[np.uint8]:
    """Resize a picture uint8 [H, W, 3] to (height, width)."""
    return np.asarray(Pillow.fromarray(pixels).resize(size[::-1], Pillow.Resampling.BOX))


def _scale(box: Box, x: float, y: float) -> Box:
    return box[0] * x, box[1] * y, box[2] * x, box[3] * y


def _shift(box: Box, rng: random.Random) -> Box:
    """Move a box by its own size, inside of the picture."""
    dx, dy = rng.choice((-1, 1)) * (box[2] - box[0]), rng.choice((-1, 1)) * (box[3] - box[1])
    dx, dy = min(max(dx, -box[0]), 1 - box[2]), min(max(dy, -box[1]), 1 - box[3])
    return box[0] + dx, box[1] + dy, box[2] + dx, box[3] + dy


def _compute_iou(one: Box, two: Box) -> float:
    width, height = min(one[2], two[2]) - max(one[0], two[0]), min(one[3], two[3]) - max(one[1], two[1])
    inside = max(width, 0.0) * max(height, 0.0)
    return inside / (sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, two)) - inside)
