"""What two masks have in common, on dense arrays and on run lengths."""

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
    """Intersection over union of two bool [H, W]; 0 when both are empty.

    Raises:
        ValueError: the masks differ in size.
    """
    if a.shape != b.shape:
        raise ValueError(f"masks must have one size, got {a.shape} and {b.shape}")
    union = int(np.logical_or(a, b).sum())
    return int(np.logical_and(a, b).sum()) / union if union else 0.0


def compute_iou_matrix(a: Sequence[RLE], b: Sequence[RLE]) -> NDArray[np.float64]:
    """Pairwise IoU, float64 [len(a), len(b)]; 0 where both masks are empty.

    Raises:
        ValueError: the masks differ in size.
    """
    return _compute_pairwise(a, b, by_the_first=False)


def compute_inside_matrix(a: Sequence[RLE], b: Sequence[RLE]) -> NDArray[np.float64]:
    """How much of each a lies inside each b, as a share of a: float64 [len(a), len(b)]; 0 for an empty a.

    Raises:
        ValueError: the masks differ in size.
    """
    return _compute_pairwise(a, b, by_the_first=True)


def _compute_pairwise(a: Sequence[RLE], b: Sequence[RLE], *, by_the_first: bool) -> NDArray[np.float64]:
    """Intersections over unions, or over the first's area (what COCO does for crowds)."""
    sizes = {mask.size for mask in (*a, *b)}
    if len(sizes) > 1:
        raise ValueError(f"masks must have one size, got {sorted(sizes)}")
    if not a or not b:
        return np.zeros((len(a), len(b)))
    matrix = coco.iou([_to_coco_rle(m) for m in a], [_to_coco_rle(m) for m in b], [by_the_first] * len(b))
    return np.nan_to_num(np.asarray(matrix, np.float64))


def _to_coco_rle(mask: RLE) -> dict[str, object]:
    return {"size": list(mask.size), "counts": rle.to_string(mask).encode("ascii")}


def unite_masks(masks: Sequence[RLE]) -> RLE:
    """Every pixel that is in any of them.

    Raises:
        ValueError: no masks, or masks of different sizes.
    """
    sizes = {mask.size for mask in masks}
    if len(sizes) != 1:
        raise ValueError(f"a union needs masks of one size, got {sorted(sizes)}")
    dense = rle.decode_rle(masks[0])
    for mask in masks[1:]:
        dense = dense | rle.decode_rle(mask)
    return rle.encode_rle(dense)


def compute_rle_box(mask: RLE) -> Box:
    """XYXY in pixels, exclusive end, of a mask that has pixels."""
    x, y, width, height = rle.compute_xywh_box(mask)
    return float(x), float(y), float(x + width), float(y + height)


def remove_specks(mask: NDArray[np.bool_], *, share: float) -> NDArray[np.bool_]:
    """A bool [H, W] without pieces, and without holes, smaller than a share of its own area.

    Pieces hang together over corners, holes do not. What has pixels keeps its largest piece.
    """
    pixels = int(mask.sum())
    if not pixels or share <= 0:
        return mask
    least = share * pixels
    filled = mask | _find_small_pieces(~mask, least, connectivity=4)
    pieces = _find_small_pieces(filled, least, connectivity=8)
    return filled if (pieces == filled).all() else filled & ~pieces


def _find_small_pieces(mask: NDArray[np.bool_], least: float, *, connectivity: int) -> NDArray[np.bool_]:
    """The pixels of all pieces that have fewer pixels than that."""
    n_labels, labels, stats, _ = cv2.connectedComponentsWithStats(
        mask.astype(np.uint8), None, None, None, connectivity
    )
    is_small = stats[:, cv2.CC_STAT_AREA] < least
    is_small[0] = False  # what is not in the mask
    return np.asarray(is_small[labels]) if n_labels > 1 else np.zeros_like(mask)


_EDGE_SHARE = 0.02  # of the image's diagonal: how deep the edge of a mask reaches into it


def compute_boundary_iou(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """IoU of the edges of two bool [H, W]; 0 when both are empty.

    Source: Cheng et al., Boundary IoU (CVPR 2021), section 5: of each mask the pixels within 2 % of the
    image's diagonal of its outline, at least one pixel; the image's border is an outline too.

    Raises:
        ValueError: the masks differ in size.
    """
    return compute_iou(_find_edge(a), _find_edge(b))


def _find_edge(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    depth = max(1, round(_EDGE_SHARE * math.hypot(*mask.shape)))
    # A square of so many pixels is what the authors' code reaches by eroding that often with 3 x 3.
    square = np.ones((2 * depth + 1, 2 * depth + 1), np.uint8)
    inside = cv2.erode(mask.astype(np.uint8), square, borderType=cv2.BORDER_CONSTANT, borderValue=(0,))
    return np.asarray(mask & (inside == 0))
