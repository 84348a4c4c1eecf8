"""GrabCut: a region's outline is moved to where the colours inside and outside part."""

import cv2
import numpy as np
from numpy.typing import NDArray

_ROUNDS = 3


def cut_out(
    pixels: NDArray[np.uint8],
    likely: NDArray[np.bool_],
    sure: NDArray[np.bool_],
    never: NDArray[np.bool_],
    *,
    rounds: int = _ROUNDS,
) -> NDArray[np.bool_]:
    """Cut out what looks like the likely pixels and not like the others: bool [h, w].

    The result is the same at every call. Where there is nothing to tell apart, it is the likely pixels.

    Args:
        pixels: uint8 [h, w, 3].
        likely: bool [h, w], probably inside.
        sure: bool [h, w], inside in any case.
        never: bool [h, w], outside in any case; wins over `sure`.
        rounds: of estimating the colours and cutting.

    Source: Rother, Kolmogorov and Blake, SIGGRAPH 2004, `cv2.grabCut`.
    """
    trimap = np.where(likely, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    trimap[sure] = cv2.GC_FGD
    trimap[never] = cv2.GC_BGD
    is_inside = np.isin(trimap, (cv2.GC_FGD, cv2.GC_PR_FGD))
    if is_inside.sum() < 5 or (~is_inside).sum() < 5:  # GrabCut fits five colours to each side
        return np.asarray(is_inside)
    cv2.setRNGSeed(0)
    part, outer, inner = np.ascontiguousarray(pixels), np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(part, trimap, (0, 0, 0, 0), outer, inner, rounds, cv2.GC_INIT_WITH_MASK)
    return np.isin(trimap, (cv2.GC_FGD, cv2.GC_PR_FGD))


def make_band(region: NDArray[np.bool_], share: float = 0.12) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Find the pixels that lie well inside and well outside of a region: two of bool [h, w].

    GrabCut between the two moves the outline and keeps the object: without them it loses parts that have the
    colours of the background.

    Args:
        region: bool [h, w].
        share: width of the band as a share of the region's size, the root of its area.
    """
    side = max(3, int(share * np.sqrt(np.count_nonzero(region)))) | 1
    window = np.ones((side, side), np.uint8)
    inside = cv2.erode(region.astype(np.uint8), window, borderValue=1)
    return inside.astype(np.bool_), cv2.dilate(region.astype(np.uint8), window) == 0


def keep_largest(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Keep the largest connected piece of a mask bool [h, w]."""
    number, pieces, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    if number < 3:
        return mask
    return np.asarray(pieces == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax()))
