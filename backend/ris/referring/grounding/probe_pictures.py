"""Pictures with coloured shapes at known places, to find out how a model writes coordinates."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ris.core.types import Box, Size

# Sides are multiples of 224, as those of the pictures that are sent later.
_SIZES: dict[str, Size] = {
    "wide": (448, 1120),
    "tall": (1120, 448),
    "square": (672, 672),
    "large": (1344, 1792),
}
_COLOURS = {"red": (220, 30, 30), "blue": (30, 60, 220), "green": (30, 160, 50)}
_GROUND = (215, 215, 210)
_SIDE = 0.22  # of the shorter side of the picture
# Centres, in shares of the sides: far from the diagonal, so that a swap of the axes is seen.
_CENTRES = {
    "wide": ((0.12, 0.7), (0.55, 0.25), (0.85, 0.65)),
    "tall": ((0.75, 0.12), (0.25, 0.45), (0.62, 0.84)),
    "square": ((0.2, 0.75), (0.8, 0.55), (0.5, 0.17)),
    "large": ((0.15, 0.4), (0.85, 0.2), (0.45, 0.82)),
}
ABSENT = "the yellow square"


@dataclass(frozen=True, slots=True, eq=False)
class ProbePicture:
    """A picture of three shapes on a plain ground.

    Attributes:
        name: "wide", "tall", "square" or "large".
        pixels: uint8 [H, W, 3], RGB.
        boxes: by the expression of each shape, XYXY in shares of the sides.
    """

    name: str
    pixels: NDArray[np.uint8]
    boxes: dict[str, Box]

    @property
    def size(self) -> Size:
        """(height, width) in pixels."""
        return self.pixels.shape[0], self.pixels.shape[1]


def draw_probe_pictures() -> tuple[ProbePicture, ...]:
    """Draw the pictures, the same ones each time."""
    return tuple(_draw(name, size) for name, size in _SIZES.items())


def _draw(name: str, size: Size) -> ProbePicture:
    height, width = size
    pixels = np.full((height, width, 3), _GROUND, np.uint8)
    half = round(min(size) * _SIDE / 2)
    boxes: dict[str, Box] = {}
    for i, (colour, (x_share, y_share)) in enumerate(zip(_COLOURS, _CENTRES[name], strict=True)):
        x, y = round(x_share * width), round(y_share * height)
        if i == 2:
            cv2.circle(pixels, (x, y), half, _COLOURS[colour], -1)
        else:
            cv2.rectangle(pixels, (x - half, y - half), (x + half - 1, y + half - 1), _COLOURS[colour], -1)
        expression = f"the {colour} {'dot' if i == 2 else 'square'}"
        boxes[expression] = (
            (x - half) / width, (y - half) / height, (x + half) / width, (y + half) / height,
        )  # fmt: skip
    return ProbePicture(name, pixels, boxes)
