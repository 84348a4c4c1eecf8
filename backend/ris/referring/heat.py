"""Heat maps: scaled to [0, 1], enlarged as by IteRPrimE's authors, and summed inside masks."""

import cv2
import numpy as np
from numpy.typing import NDArray

from ris.core.proposals import Proposals
from ris.core.resize import make_bicubic_weights
from ris.core.types import Size


def scale_to_unit(heat: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale a map to [0, 1]; a constant map becomes 0. Same shape, float32."""
    low, high = heat.min(), heat.max()
    return np.asarray((heat - low) / (high - low) if high > low else np.zeros_like(heat), np.float32)


def enlarge_heat(heat: NDArray[np.float32], size: Size) -> NDArray[np.float32]:
    """Enlarge a map (bicubic, not clipped): float32 [G, G] -> [H, W]."""
    rows, columns = make_bicubic_weights(heat.shape[0], size[0]), make_bicubic_weights(heat.shape[1], size[1])
    return np.asarray(rows @ heat @ columns.T, np.float32)


def compute_heat_shares(proposals: Proposals, grid: int) -> NDArray[np.float32]:
    """Compute each patch's weight in the sum of the enlarged map inside each mask: float32 [N, G * G]."""
    height, width = proposals.masks.shape[1:]
    rows, columns = make_bicubic_weights(grid, height), make_bicubic_weights(grid, width)
    shares = []
    for mask, (x1, y1, x2, y2) in zip(proposals.masks, proposals.boxes.astype(int).tolist(), strict=True):
        inside = mask[y1:y2, x1:x2].astype(np.float32)
        shares.append((rows[y1:y2].T @ inside @ columns[x1:x2]).ravel())
    return np.array(shares, np.float32).reshape(-1, grid * grid)


def count_parts(mask: NDArray[np.bool_]) -> int:
    """Count the 4-connected parts of a mask bool [H, W]."""
    return int(cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)[0]) - 1


def make_position_ramp(text: str, grid: int) -> NDArray[np.float32]:
    """Make the factor of position words for a map: 1.5 on the named side down to 0.5 on the other.

    Only whole words count. The authors test for parts of words, so that "laptop" is at the top.

    Returns:
        float32 [grid, grid]; 1 without position words.
    """
    words = set(text.split())
    fall, rise = np.linspace(1.5, 0.5, grid), np.linspace(0.5, 1.5, grid)
    factor = np.ones((grid, grid))
    for names, ramp in (
        ({"left", "leftmost"}, fall[None]),
        ({"right", "rightmost"}, rise[None]),
        ({"top", "up", "upper", "topmost"}, fall[:, None]),
        ({"bottom", "down", "lower", "lowest"}, rise[:, None]),
    ):
        if words & names:
            factor = factor * ramp
    return factor.astype(np.float32)
