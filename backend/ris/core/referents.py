"""Tell which answers to one task mean the same referent."""

from collections import Counter
from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ris.core.masks import compute_iou_matrix
from ris.core.rle import RLE

SAME_REFERENT_IOU = 0.5  # masks with a smaller IoU are of different objects
NOTHING_SAID = -1


def number_referents(
    masks: Sequence[object | None], ious: NDArray[np.float64], skipped: Sequence[int] = ()
) -> tuple[int, ...]:
    """Give a number to what each answer means; equal numbers mean the same.

    Two masks mean the same if they overlap by an IoU of at least 0.5, directly or through others. Two answers
    without a mask say both that there is no referent.

    Args:
        masks: of M answers; None without one.
        ious: float64 [M, M]; where one of both has no mask, the value does not matter.
        skipped: positions of the answers that say nothing; their number is `NOTHING_SAID`.
    """
    referents = list(range(len(masks)))
    for i, j in combinations(range(len(masks)), 2):
        is_same = masks[i] is not None and masks[j] is not None and ious[i, j] >= SAME_REFERENT_IOU
        if is_same and referents[i] != referents[j]:
            joined = referents[j]
            referents = [referents[i] if one == joined else one for one in referents]
    none = len(masks)
    referents = [none if mask is None else one for one, mask in zip(referents, masks, strict=True)]
    return tuple(NOTHING_SAID if i in skipped else one for i, one in enumerate(referents))


def compute_answer_ious(masks: Sequence[RLE | None]) -> NDArray[np.float64]:
    """Compute the IoU of each two answers, float64 [M, M], from run lengths.

    It is 0 for masks of different sizes, and where one of both answers has no mask.
    """
    ious = np.zeros((len(masks), len(masks)))
    for size in {mask.size for mask in masks if mask is not None}:
        same = [i for i, mask in enumerate(masks) if mask is not None and mask.size == size]
        own = [mask for i in same if (mask := masks[i]) is not None]
        ious[np.ix_(same, same)] = compute_iou_matrix(own, own)
    return ious


def find_most_common(referents: Sequence[int]) -> tuple[int, ...]:
    """Return the positions of the answers that mean what more than half mean; () if there is no such thing.

    Args:
        referents: as `number_referents` returns them; answers that say nothing do not count.
    """
    counts = Counter(referent for referent in referents if referent != NOTHING_SAID)
    if not counts:
        return ()
    referent, n_members = counts.most_common(1)[0]
    if 2 * n_members <= counts.total():
        return ()
    return tuple(i for i, one in enumerate(referents) if one == referent)
