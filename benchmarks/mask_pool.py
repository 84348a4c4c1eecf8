"""Masks for made-up records: shapes with hundreds of runs, moved over the image without decoding them."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ris.core.rle import encode_rle, to_string
from ris.core.types import Size

_N_SHAPES = 120
_EDITED_RUNS_SHARE = 0.5  # of the runs of a shape that an annotator made one pixel longer


@dataclass(frozen=True, slots=True)
class _Outline:
    """The run lengths of a shape, as COCO's text with a gap at both ends.

    The text has the differences of run lengths, so a moved shape differs in its first and its last number.
    """

    first: int
    middle: str
    last: int
    before_last: int

    def move(self, by: int) -> str:
        """Return COCO's text of the shape that is moved by a number of pixels down the columns."""
        return _pack(self.first + by) + self.middle + _pack(self.last - by - self.before_last)


@dataclass(frozen=True, slots=True)
class PoolShape:
    """One shape of the pool: as proposed, and as an annotator edited it.

    Attributes:
        proposed: the run lengths of the proposal.
        edited: those of the edited mask, which contains the proposal.
        area_px: pixels of the proposal.
        added_px: pixels that the edit added.
        box: XYXY in pixels where the shape was drawn, exclusive end.
        size: (height, width) of the image.
    """

    proposed: _Outline
    edited: _Outline
    area_px: int
    added_px: int
    box: tuple[int, int, int, int]
    size: Size

    @property
    def edited_iou(self) -> float:
        """Return the IoU of the proposal and the edited mask."""
        return self.area_px / (self.area_px + self.added_px)


def make_mask_pool(size: Size, seed: int) -> list[PoolShape]:
    """Make the shapes of images of one size, (height, width). The same seed makes the same shapes."""
    generator = np.random.default_rng([seed, *size])
    return [_make_shape(size, generator) for _ in range(_N_SHAPES)]


def move_box(shape: PoolShape, dx: int, dy: int) -> tuple[float, float, float, float]:
    """Return the box of a moved shape, XYXY in pixels."""
    x1, y1, x2, y2 = shape.box
    return float(x1 + dx), float(y1 + dy), float(x2 + dx), float(y2 + dy)


def choose_move(shape: PoolShape, generator: np.random.Generator) -> tuple[int, int]:
    """Choose a shift in x and y, in pixels, that leaves two pixels free on each side of the image."""
    x1, y1, x2, y2 = shape.box
    height, width = shape.size
    return (
        int(generator.integers(2 - x1, max(width - 1 - x2, 3 - x1))),
        int(generator.integers(2 - y1, max(height - 1 - y2, 3 - y1))),
    )


def _make_shape(size: Size, generator: np.random.Generator) -> PoolShape:
    """Draw an ellipse with a ragged edge, centred in the image."""
    height, width = size
    half_x = int(generator.integers(30, width // 4))
    half_y = int(generator.integers(30, height // 4))
    rows, columns = np.mgrid[0:height, 0:width]
    distance = np.hypot((columns - width // 2) / half_x, (rows - height // 2) / half_y)
    noise = cv2.GaussianBlur(generator.normal(size=size).astype(np.float32), (0, 0), 3.0) * 0.6
    mask = distance + noise < 0.8
    mask[: height // 8], mask[-height // 8 :], mask[:, : width // 8], mask[:, -width // 8 :] = (False,) * 4
    edited = _extend(mask, generator)
    ys, xs = np.nonzero(edited)
    box = (int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1)
    area_px, added_px = int(mask.sum()), int(edited.sum() - mask.sum())
    return PoolShape(_to_outline(mask), _to_outline(edited), area_px, added_px, box, size)


def _extend(mask: NDArray[np.bool_], generator: np.random.Generator) -> NDArray[np.bool_]:
    """Add the pixel below some of the runs."""
    below = np.zeros_like(mask)
    below[1:] = mask[:-1]
    edge = below & ~mask
    return mask | (edge & (generator.random(mask.shape) < _EDITED_RUNS_SHARE))


def _to_outline(mask: NDArray[np.bool_]) -> _Outline:
    counts, text = encode_rle(mask).counts, to_string(encode_rle(mask))
    first, last = _pack(counts[0]), _pack(counts[-1] - counts[-3])
    return _Outline(counts[0], text[len(first) : len(text) - len(last)], counts[-1], counts[-3])


def _pack(value: int) -> str:
    """Write one number as `rleToString` of the COCO API does: 5 bits per character."""
    characters = []
    while True:
        bits = value & 0x1F
        value >>= 5
        is_last = value == (-1 if bits & 0x10 else 0)
        characters.append(chr((bits if is_last else bits | 0x20) + 48))
        if is_last:
            return "".join(characters)
