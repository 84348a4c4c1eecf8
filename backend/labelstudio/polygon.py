"""Polygons: what a mask looks like as outlines, and which pixels an outline covers.

A pixel is inside when its centre is. Holes are lost: Label Studio's polygons have none.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from backend.core import rle
from backend.core.rle import RLE
from backend.core.types import Size

TOLERANCE_PX = 0.75  # how far a simplified outline may lie from the mask's edge
SUBPIXEL_BITS = 8
MIN_PART_SHARE = 0.02  # of the largest part: smaller ones are specks that an annotator would delete

Points = list[list[float]]


def outlines(mask: RLE) -> list[Points]:
    """The outer outline of each part, largest first, [x, y] in percent of width and height.

    A part of one or two pixels becomes a polygon all the same: at least three points, never empty
    for a mask that is not.
    """
    height, width = mask.size
    # Twice the size, so that an outline runs along the outside of the pixels and not through their centres.
    doubled = np.kron(rle.decode(mask).astype(np.uint8), np.ones((2, 2), np.uint8))
    found, _ = cv2.findContours(doubled, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    found = sorted(found, key=cv2.contourArea, reverse=True)
    largest = cv2.contourArea(found[0]) if found else 0.0
    parts = [part for part in found if cv2.contourArea(part) >= MIN_PART_SHARE * largest]
    return [_percent(_simplified(part), width, height) for part in parts]


def _simplified(part: np.ndarray) -> np.ndarray:
    """[K, 2] in pixels, pixel centres at .5."""
    short = cv2.approxPolyDP(part, 2 * TOLERANCE_PX, closed=True)
    points = (short if len(short) >= 3 else cv2.boxPoints(cv2.minAreaRect(part))).reshape(-1, 2)
    return np.asarray((points.astype(np.float64) + 0.5) / 2)


def _percent(points: np.ndarray, width: int, height: int) -> Points:
    scaled = points * [100 / width, 100 / height]
    return [[round(float(x), 4), round(float(y), 4)] for x, y in scaled]


def rasterised(polygons: Sequence[Points], size: Size) -> RLE:
    """The union of polygons in percent, as a mask of (height, width)."""
    height, width = size
    canvas = np.zeros(size, np.uint8)
    for points in polygons:
        pixels = np.array(points, np.float64).reshape(-1, 2) * [width / 100, height / 100] - 0.5
        fixed = np.round(pixels * 2**SUBPIXEL_BITS).astype(np.int64)
        fixed = np.clip(fixed, -(2**24), 2**24).astype(np.int32)
        if len(fixed) >= 3:
            cv2.fillPoly(canvas, [fixed], 1, shift=SUBPIXEL_BITS)
    return rle.encode(canvas.astype(np.bool_))
