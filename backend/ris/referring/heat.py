"""Heat maps over masks: brought to [0, 1], enlarged as IteRPrimE's authors do, summed inside masks."""

import cv2
import numpy as np
from numpy.typing import NDArray

from ris.core.proposals import Proposals
from ris.core.resize import make_bicubic_weights
from ris.core.types import Size


def scale_to_unit(heat: NDArray[np.float32]) -> NDArray[np.float32]:
    """Brought to [0, 1]; a flat map becomes 0."""
    low, high = heat.min(), heat.max()
    return np.asarray((heat - low) / (high - low) if high > low else np.zeros_like(heat), np.float32)


def enlarge_heat(heat: NDArray[np.float32], size: Size) -> NDArray[np.float32]:
    """float32 [G, G] -> [H, W], bicubic, not clipped."""
    rows, columns = make_bicubic_weights(heat.shape[0], size[0]), make_bicubic_weights(heat.shape[1], size[1])
    return np.asarray(rows @ heat @ columns.T, np.float32)


def compute_heat_shares(proposals: Proposals, grid: int) -> NDArray[np.float32]:
    """Each patch's part in the sum of the enlarged map inside every mask: float32 [N, G * G]."""
    height, width = proposals.masks.shape[1:]
    rows, columns = make_bicubic_weights(grid, height), make_bicubic_weights(grid, width)
    shares = []
    for mask, (x1, y1, x2, y2) in zip(proposals.masks, proposals.boxes.astype(int).tolist(), strict=True):
        inside = mask[y1:y2, x1:x2].astype(np.float32)
        shares.append((rows[y1:y2].T @ inside @ columns[x1:x2]).ravel())
    return np.array(shares, np.float32).reshape(-1, grid * grid)


def count_parts(mask: NDArray[np.bool_]) -> int:
    """Pieces of a mask that touch only by their sides (4-connectivity)."""
    return int(cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)[0]) - 1


def make_position_ramp(text: str, grid: int) -> NDArray[np.float32]:
    """What position words multiply a map by: 1.5 on the side that is named down to 0.5 on the other.

    Whole words; the authors test for parts of words, by which "laptop" is at the top.
    """
    words = set(text.split())
    fall, rise = np.linspace(1.5, 0.5, grid), np.linspace(0.5, 1.5, grid)
    factor = np.ones((grid, grid))
    for names, lean in (
        ({"left", "leftmost"}, fall[None]),
        ({"right", "rightmost"}, rise[None]),
        ({"top", "up", "upper", "topmost"}, fall[:, None]),
        ({"bottom", "down", "lower", "lowest"}, rise[:, None]),
    ):
        if words & names:
            factor = factor * lean
    return factor.astype(np.float32)
