"""Unions: the proposals that an expression means together, such as "the two dogs"."""

import numpy as np
from numpy.typing import NDArray

from ris.core.masks import compute_inside_matrix
from ris.referring.scene import Scene

_MAX_OVERLAP = 0.1  # members of a union share at most this part of the area of either
_MIN_RELATIVE_PROBABILITY = 0.5  # of the best member's probability, where no number is stated
_MAX_UNITED_MASKS = 6  # where no number is stated


def find_union_members(scene: Scene, fused: NDArray[np.float64], count: int) -> tuple[int, ...]:
    """Find the proposals whose union an expression with several referents means.

    Args:
        scene: gives the N proposals.
        fused: float64 [N], probabilities.
        count: the stated number; 0 takes all that are at least half as probable as the best, at most six.

    Returns:
        Indices of the best proposals that do not overlap; empty when there are fewer than two, or than
        `count`, and where the best proposal is several things already.
    """
    if int(fused.argmax()) in scene.joint:
        return ()
    inside = compute_inside_matrix(scene.masks, scene.masks)
    chosen: list[int] = []
    for i in (int(i) for i in np.argsort(-fused, kind="stable")):
        if i in scene.joint:
            continue
        if len(chosen) == (count or _MAX_UNITED_MASKS) or (
            not count and fused[i] < _MIN_RELATIVE_PROBABILITY * fused.max()
        ):
            break
        if all(max(inside[i, j], inside[j, i]) <= _MAX_OVERLAP for j in chosen):
            chosen.append(i)
    return tuple(chosen) if len(chosen) >= max(2, count) else ()
