"""Convert masks to polygons and polygons to masks.

A pixel is inside if its centre is. Holes are lost: Label Studio's polygons have none.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from ris.core import rle
from ris.core.rle import RLE
from ris.core.types import Size

_TOLERANCE_PX = 0.75  # largest distance of a simplified outline from the mask's edge
_MIN_PART_SHARE = 0.02  # of the largest part's area: smaller parts are specks, and are dropped

PolygonPoints = list[list[float]]


def trace_outlines(mask: RLE) -> list[PolygonPoints]:
    """Trace the outer outline of each part, largest first: [x, y] in percent of width and height.

    A part of one or two pixels becomes a polygon too: at least one pixel of it is inside.
    """
    height, width = mask.size
    # Doubled, so that an outline follows the pixels' edges and not their centres.
    doubled = np.asarray(np.kron(rle.decode_rle(mask), np.ones((2, 2), np.uint8)), np.uint8)
    found, _ = cv2.findContours(doubled, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    found = sorted(found, key=cv2.contourArea, reverse=True)
    largest = cv2.contourArea(found[0]) if found else 0.0
    parts = [part for part in found if cv2.contourArea(part) >= _MIN_PART_SHARE * largest]
    return [_simplify_outline(part, width, height) for part in parts]


def _simplify_outline(part: np.ndarray, width: int, height: int) -> PolygonPoints:
    """Simplify an outline, unless the part is so thin that no pixel would be left; in percent."""
    short = cv2.approxPolyDP(part, 2 * _TOLERANCE_PX, closed=True)
    points = _to_percent(_to_pixels(short), width, height)
    return (
        points
        if rasterise_polygons([points], (height, width)).area_px
        else _to_percent(_to_pixels(part), width, height)
    )


def _to_pixels(contour: np.ndarray) -> np.ndarray:
    """Convert a contour of the doubled mask to float64 [K, 2] in pixels, pixel centres at .5."""
    return np.asarray((contour.reshape(-1, 2).astype(np.float64) + 0.5) / 2)


def _to_percent(points: np.ndarray, width: int, height: int) -> PolygonPoints:
    scaled = points * [100 / width, 100 / height]
    return [[round(float(x), 4), round(float(y), 4)] for x, y in scaled]


def rasterise_polygons(polygons: Sequence[PolygonPoints], size: Size) -> RLE:
    """Rasterise the union of polygons in percent to a mask of (height, width).

    A pixel is inside if the outline winds around its centre: so the editor fills outlines that cross
    themselves. A centre on a left or upper edge is inside.
    """
    height, width = size
    canvas = np.zeros(size, np.bool_)
    for points in polygons:
        corners = np.array(points, np.float64).reshape(-1, 2) * [width / 100, height / 100]
        if len(corners) >= 3:
            _fill_polygon(canvas, corners)
    return rle.encode_rle(canvas)


def _fill_polygon(canvas: NDArray[np.bool_], corners: NDArray[np.float64]) -> None:
    """Set the pixels of a polygon, float64 [K, 2] in pixels; cost grows with the rows that edges cross."""
    ends = np.roll(corners, -1, axis=0)
    # Rows whose centres lie between an edge's ends: from the first, and before the last.
    limits = np.clip(np.ceil(np.stack([corners[:, 1], ends[:, 1]]) - 0.5), 0, canvas.shape[0]).astype(
        np.int64
    )
    first, last = limits.min(axis=0), limits.max(axis=0)
    n_rows = last - first
    if not n_rows.any():
        return
    edge = np.repeat(np.arange(len(corners)), n_rows)
    rows = np.arange(len(edge)) - np.repeat(np.cumsum(n_rows) - n_rows, n_rows) + first[edge]
    slope = (ends[edge, 0] - corners[edge, 0]) / (ends[edge, 1] - corners[edge, 1])
    crossings = corners[edge, 0] + (rows + 0.5 - corners[edge, 1]) * slope
    columns = np.clip(np.ceil(crossings - 0.5), 0, canvas.shape[1]).astype(np.int64)
    top, left, right = rows.min(), columns.min(), columns.max()
    winding = np.zeros((rows.max() + 1 - top, right + 1 - left), np.int32)
    np.add.at(winding, (rows - top, columns - left), np.where(ends[edge, 1] > corners[edge, 1], 1, -1))
    inside = winding.cumsum(axis=1)[:, :-1] != 0
    canvas[top : top + len(inside), left:right] |= inside
