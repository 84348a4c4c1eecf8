"""Convert masks to boxes in percent, and rectangles to masks."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ris.core import rle
from ris.core.masks import compute_rle_box
from ris.core.rle import RLE
from ris.core.types import Size
from ris.labelstudio.masks.polygon import rasterise_polygons


def to_rectangle(mask: RLE) -> dict[str, float]:
    """Compute the `value` of the smallest upright rectangle around a mask that has pixels."""
    height, width = mask.size
    x1, y1, x2, y2 = compute_rle_box(mask)
    return {
        "x": 100 * x1 / width,
        "y": 100 * y1 / height,
        "width": 100 * (x2 - x1) / width,
        "height": 100 * (y2 - y1) / height,
        "rotation": 0.0,
    }


def rasterise_rectangle(value: Mapping[str, Any], size: Size) -> RLE:
    """Rasterise a rectangle, rotated clockwise about its corner: the pixels whose centres are inside."""
    if not float(value.get("rotation") or 0):
        return rle.encode_rle(
            _find_centres_inside(value, "y", "height", size[0])[:, None]
            & _find_centres_inside(value, "x", "width", size[1])
        )
    corners = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    extent = np.array([float(value["width"]), float(value["height"])])
    return rasterise_polygons([rotate_offsets(value, corners * extent, size)], size)


def _find_centres_inside(value: Mapping[str, Any], start: str, extent: str, length: int) -> np.ndarray:
    """Tell which of `length` pixels have their centres between two ends: bool [length]."""
    first = float(value[start]) * length / 100
    last = first + float(value[extent]) * length / 100
    centres = np.arange(length) + 0.5
    return np.asarray((first <= centres) & (centres < last))


def rotate_offsets(value: Mapping[str, Any], offsets: np.ndarray, size: Size) -> list[list[float]]:
    """Rotate offsets from (x, y) clockwise about it by `rotation` degrees; return points in percent.

    The rotation is in pixels, so that angles are those of the image.

    Args:
        value: of a region, with x, y and rotation.
        offsets: float64 [K, 2] in percent.
        size: (height, width) of the image.
    """
    to_pixels = np.array([size[1], size[0]]) / 100
    turn = np.deg2rad(float(value.get("rotation") or 0))
    matrix = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    points = (offsets * to_pixels) @ matrix / to_pixels + [float(value["x"]), float(value["y"])]
    return [[float(x), float(y)] for x, y in points]
