"""Boxes of masks. A box is XYXY in pixels; x2 and y2 are exclusive."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


def compute_box(mask: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """Compute the tight box of a mask bool [H, W].

    Raises:
        ValueError: the mask is empty.
    """
    columns, rows = np.flatnonzero(mask.any(0)), np.flatnonzero(mask.any(1))
    if not len(columns):
        raise ValueError("an empty mask has no box")
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def compute_boxes(masks: Iterable[NDArray[np.bool_]]) -> NDArray[np.float32]:
    """Compute the tight boxes of N masks bool [H, W]: float32 [N, 4]."""
    return np.array([compute_box(mask) for mask in masks], np.float32).reshape(-1, 4)


def compute_authors_box(mask: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """Compute the box that Global-Local CLIP's released code crops.

    Its centre is the mean index of the occupied columns (rows), its width is their number, and its corners
    are truncated to whole pixels. For one connected part that is one pixel up-left of the tight box; for
    several parts it is not tight. The box is clipped to the image and at least one pixel wide, because the
    authors' code fails on an empty crop.

    Args:
        mask: bool [H, W].

    Raises:
        ValueError: the mask is empty.

    Source: the released code of Yu et al., arXiv:2303.17811.
    """
    height, width = mask.shape
    x1, x2 = _find_centred_interval(np.flatnonzero(mask.any(0)), width)
    y1, y2 = _find_centred_interval(np.flatnonzero(mask.any(1)), height)
    return x1, y1, x2, y2


def _find_centred_interval(occupied: NDArray[np.intp], length: int) -> tuple[int, int]:
    if not len(occupied):
        raise ValueError("an empty mask has no box")
    centre, extent = float(occupied.mean()), len(occupied)
    start = max(int(centre - extent / 2), 0)
    stop = min(int(centre + extent / 2), length)
    return (start, stop) if stop > start else (min(start, length - 1), min(start, length - 1) + 1)
