"""Likeness: which masks show things of one kind, as far as outline, pattern and size can tell.

"The second bag from the left" counts bags. Without a network nobody knows what a bag is; but the things that
are counted look alike.
"""

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

GRID = 16  # a mask's box is brought to GRID x GRID cells, its longer side filling them


def draw_thumbnails(
    pixels: NDArray[np.uint8], masks: Iterable[tuple[NDArray[np.bool_], tuple[int, int, int, int]]]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Draw each mask small, in the middle of a square.

    Args:
        pixels: uint8 [H, W, 3], RGB.
        masks: N of bool [H, W] with their boxes XYXY; none is empty.

    Returns:
        The silhouettes float32 [N, G, G] in [0, 1]; and the patterns float32 [N, G, G]: brightness minus its
        mean inside of the mask, 0 outside.
    """
    grey = cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY)
    silhouettes, patterns = [], []
    for mask, (x1, y1, x2, y2) in masks:
        inside = np.ascontiguousarray(mask[y1:y2, x1:x2]).astype(np.float32)
        bright = np.ascontiguousarray(grey[y1:y2, x1:x2]).astype(np.float32)
        bright = (bright - float(bright[inside > 0].mean())) * inside
        silhouettes.append(_fit_square(inside))
        patterns.append(_fit_square(bright))
    shape = (-1, GRID, GRID)
    return np.array(silhouettes, np.float32).reshape(shape), np.array(patterns, np.float32).reshape(shape)


def _fit_square(array: NDArray[np.float32]) -> NDArray[np.float32]:
    height, width = array.shape
    scale = GRID / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(array, size, interpolation=cv2.INTER_AREA)
    square = np.zeros((GRID, GRID), np.float32)
    top, left = (GRID - size[1]) // 2, (GRID - size[0]) // 2
    square[top : top + size[1], left : left + size[0]] = small
    return square


def compute_likeness(
    silhouettes: NDArray[np.float32], patterns: NDArray[np.float32], areas: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Compute how alike N things look, also when one is mirrored: float64 [N, N] in [0, 1].

    It is the mean of the silhouettes' IoU and of the patterns' correlation, less for things of different
    sizes.

    Args:
        silhouettes: float32 [N, G, G], of `draw_thumbnails`.
        patterns: float32 [N, G, G], of the same.
        areas: float64 [N], in pixels.
    """
    n = len(silhouettes)
    cells = (n, GRID * GRID)
    flat, mirrored = silhouettes.reshape(cells), silhouettes[:, :, ::-1].reshape(cells)
    lines, mirrored_lines = patterns.reshape(cells), patterns[:, :, ::-1].reshape(cells)
    norms = np.maximum(np.linalg.norm(lines, axis=1), 1e-6)
    best = np.zeros((n, n))
    for shapes, structure in ((flat, lines), (mirrored, mirrored_lines)):
        common = np.minimum(flat[:, None], shapes[None]).sum(2)
        either = np.maximum(flat[:, None], shapes[None]).sum(2)
        correlation = np.clip(lines @ structure.T / np.outer(norms, norms), 0, 1)
        best = np.maximum(best, 0.5 * common / np.maximum(either, 1e-6) + 0.5 * correlation)
    ratio = np.abs(np.log(areas[:, None] / areas[None]))
    return np.asarray(best * np.exp(-0.15 * ratio))
