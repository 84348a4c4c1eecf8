"""A part of an image, as shares of its sides: the same part at every size of the image."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ris.core.types import Box, Size


@dataclass(frozen=True, slots=True)
class Crop:
    """A part of an image.

    Attributes:
        box: XYXY as shares of the image's width and height.
    """

    box: Box

    def get_slices(self, size: Size) -> tuple[slice, slice]:
        """Get the rows and columns in an image of a size; at least one of each."""
        height, width = size
        x1, y1 = int(self.box[0] * width), int(self.box[1] * height)
        x2, y2 = int(np.ceil(self.box[2] * width)), int(np.ceil(self.box[3] * height))
        y1, x1 = min(y1, height - 1), min(x1, width - 1)
        return slice(y1, min(max(y2, y1 + 1), height)), slice(x1, min(max(x2, x1 + 1), width))

    def cut(self, array: NDArray[Any], size: Size) -> NDArray[Any]:
        """Cut the part out of an image or a mask, and resize it to (height, width)."""
        part = np.ascontiguousarray(array[self.get_slices((array.shape[0], array.shape[1]))])
        if part.shape[:2] == size:
            return part
        if part.dtype == np.bool_:
            grey = cv2.resize(part.astype(np.uint8) * 255, size[::-1], interpolation=cv2.INTER_LINEAR)
            return np.asarray(grey > 127)
        return np.asarray(cv2.resize(part, size[::-1], interpolation=cv2.INTER_AREA))


def crop_around(box: Box, size: Size, *, margin: float) -> Crop:
    """Crop around a box, with a margin on each side.

    Args:
        box: XYXY in pixels.
        size: (height, width) of the image that the box is in.
        margin: share of the box's longer side.
    """
    x1, y1, x2, y2 = box
    pad = margin * max(x2 - x1, y2 - y1) + 1
    height, width = size
    return Crop(
        (
            max(0.0, (x1 - pad) / width), max(0.0, (y1 - pad) / height),
            min(1.0, (x2 + pad) / width), min(1.0, (y2 + pad) / height),
        )
    )  # fmt: skip
