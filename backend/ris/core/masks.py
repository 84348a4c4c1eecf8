"""Overlaps, unions and clean-up of masks, on dense arrays and on run lengths."""

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco

from ris.core import rle
from ris.core.rle import RLE
from ris.core.types import Box


def compute_iou(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """Compute the intersection over union of two masks bool [H, W]; 0 when both are empty.

    Raises:
        ValueError: the masks differ in size.
    """
    if a.shape != b.shape:
        raise ValueError(f"masks must have one size, got {a.shape} and {b.shape}")
    union = int(np.logical_or(a, b).sum())
    return int(np.logical_and(a, b).sum()) / union if union else 0.0


def compute_iou_matrix(a: Sequence[RLE], b: Sequence[RLE]) -> NDArray[np.float64]:
    """Compute pairwise IoU: float64 [len(a), len(b)]; 0 where both masks are empty.

    Raises:
        ValueError: the masks differ in size.
    """
    return _compute_pairwise(a, b, over_first=False)


def compute_inside_matrix(a: Sequence[RLE], b: Sequence[RLE]) -> NDArray[np.float64]:
    """Compute the share of each a that lies inside each b: float64 [len(a), len(b)]; 0 for an empty a.

    Raises:
        ValueError: the masks differ in size.
    """
    return _compute_pairwise(a, b, over_first=True)


def _compute_pairwise(a: Sequence[RLE], b: Sequence[RLE], *, over_first: bool) -> NDArray[np.float64]:
    """Divide intersections by unions, or by the first mask's area, which COCO does for crowds."""
    sizes = {mask.size for mask in (*a, *b)}
    if len(sizes) > 1:
        raise ValueError(f"masks must have one size, got {sorted(sizes)}")
    if not a or not b:
        return np.zeros((len(a), len(b)))
    matrix = coco.iou([_to_coco_rle(m) for m in a], [_to_coco_rle(m) for m in b], [over_first] * len(b))
    return np.nan_to_num(np.asarray(matrix, np.float64))


def _to_coco_rle(mask: RLE) -> dict[str, object]:
    return {"size": list(mask.size), "counts": rle.to_string(mask).encode("ascii")}


def unite_masks(masks: Sequence[RLE]) -> RLE:
    """Unite masks: every pixel that is in at least one of them.

    Raises:
        ValueError: there are no masks, or they differ in size.
    """
    sizes = {mask.size for mask in masks}
    if len(sizes) != 1:
        raise ValueError(f"a union needs masks of one size, got {sorted(sizes)}")
    dense = rle.decode_rle(masks[0])
    for mask in masks[1:]:
        dense = dense | rle.decode_rle(mask)
    return rle.encode_rle(dense)


def compute_rle_box(mask: RLE) -> Box:
    """Compute the box of a mask with pixels: XYXY in pixels, exclusive end."""
    x, y, width, height = rle.compute_xywh_box(mask)
    return float(x), float(y), float(x + width), float(y + height)


def remove_specks(mask: NDArray[np.bool_], *, share: float) -> NDArray[np.bool_]:
    """Remove small pieces and fill small holes of a mask.

    Pieces are 8-connected, holes are 4-connected. A mask with pixels keeps its largest piece.

    Args:
        mask: bool [H, W].
        share: of the mask's area; smaller pieces and holes go. 0 changes nothing.

    Returns:
        bool [H, W].
    """
    pixels = int(mask.sum())
    if not pixels or share <= 0:
        return mask
    least = share * pixels
    filled = mask | _find_small_pieces(~mask, least, connectivity=4)
    pieces = _find_small_pieces(filled, least, connectivity=8)
    return filled if (pieces == filled).all() else filled & ~pieces


def _find_small_pieces(mask: NDArray[np.bool_], least: float, *, connectivity: int) -> NDArray[np.bool_]:
    """Return the pixels of all pieces with fewer than `least` pixels: bool [H, W]."""
    n_labels, labels, stats, _ = cv2.connectedComponentsWithStats(
        mask.astype(np.uint8), None, None, None, connectivity
    )
    is_small = stats[:, cv2.CC_STAT_AREA] < least
    is_small[0] = False  # the background
    return np.asarray(is_small[labels]) if n_labels > 1 else np.zeros_like(mask)


_EDGE_SHARE = 0.02  # of the image's diagonal: the width of a mask's edge


def compute_boundary_iou(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """Compute the IoU of the edges of two masks bool [H, W]; 0 when both are empty.

    The edge of a mask is its pixels within a distance of its outline: 2 % of the image's diagonal, at least
    one pixel. The image's border counts as outline.

    Raises:
        ValueError: the masks differ in size.

    Source: Cheng et al., Boundary IoU (CVPR 2021), section 5.
    """
    return compute_iou(_find_edge(a), _find_edge(b))


def _find_edge(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    depth = max(1, round(_EDGE_SHARE * math.hypot(*mask.shape)))
    # The authors' code erodes `depth` times with 3 x 3, which is once with this square.
    square = np.ones((2 * depth + 1, 2 * depth + 1), np.uint8)
    inside = cv2.erode(mask.astype(np.uint8), square, borderType=cv2.BORDER_CONSTANT, borderValue=(0,))
    return np.asarray(mask & (inside == 0))
