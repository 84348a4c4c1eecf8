"""Unions: the proposals that an expression means together, such as "the two dogs"."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ris.core.masks import compute_inside_matrix, compute_iou_matrix, unite_masks
from ris.core.rle import RLE
from ris.core.types import Box
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


def drop_late_copies(
    scene: Scene, union: tuple[int, ...], chosen: Sequence[tuple[int, ...]], same_mask_iou: float
) -> list[tuple[int, ...]]:
    """Leave out late proposals that are the same mask as a union."""
    late = range(scene.n_early, len(scene.masks))
    if not late:
        return list(chosen)
    ious = compute_iou_matrix([make_member_mask(scene, union)], scene.masks)[0]
    return [one for one in chosen if one[0] not in late or ious[one[0]] < same_mask_iou]


def find_late_method(scene: Scene, members: tuple[int, ...]) -> str:
    """Find the method that said where a late proposal among some is; "" without one."""
    late = [scene.late[i - scene.n_early] for i in members if i >= scene.n_early]
    return late[0] if late else ""


def make_member_mask(scene: Scene, members: tuple[int, ...]) -> RLE:
    """Make the mask of one or several proposals together."""
    return scene.masks[members[0]] if len(members) == 1 else unite_masks([scene.masks[i] for i in members])


def make_member_box(scene: Scene, members: tuple[int, ...]) -> Box:
    """Make the box around one or several proposals."""
    x1, y1, x2, y2 = zip(*(scene.boxes[i] for i in members), strict=True)
    return min(x1), min(y1), max(x2), max(y2)
