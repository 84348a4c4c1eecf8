"""Compare the answers that several people gave to one task."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ris.core.consensus import MAX_STAPLE_MASKS, Staple, estimate_staple_in_box, find_majority_mask
from ris.core.masks import compute_boundary_iou, compute_iou
from ris.core.referents import find_most_common, number_referents
from ris.core.rle import decode_rle
from ris.core.types import Verdict
from ris.store.answer_groups import AnswerGroup, PersonAnswer

STANCES = ("a mask", "no referent", "skipped")


@dataclass(frozen=True, slots=True, eq=False)
class ComparedAnswers:
    """The answers to one task, compared.

    Attributes:
        group: the M answers.
        masks: bool [H, W] of each answer; None without one.
        stances: of each answer, position in `STANCES`.
        ious, boundary_ious: float64 [M, M], NaN where one of both has no mask. Masks of different sizes have
            nothing in common.
        referents: of each answer, the number of what it means: equal for masks that overlap by an IoU of at
            least 0.5, directly or through others, and for answers that there is no referent; -1 for skipped.
    """

    group: AnswerGroup
    masks: tuple[NDArray[np.bool_] | None, ...]
    stances: tuple[int, ...]
    ious: NDArray[np.float64]
    boundary_ious: NDArray[np.float64]
    referents: tuple[int, ...]

    @property
    def distances(self) -> NDArray[np.float64]:
        """The distance of each two answers, float64 [M, M]: 1 - IoU; 0 for two without a referent, else 1.

        It is NaN for skipped answers, which say nothing about the referent.
        """
        distances = np.where(np.isnan(self.ious), 1.0, 1 - self.ious)
        stances = np.array(self.stances)
        distances[np.ix_(stances == 1, stances == 1)] = 0
        distances[stances == 2] = distances[:, stances == 2] = np.nan
        return distances


def compare_answers(group: AnswerGroup) -> ComparedAnswers:
    """Compare each two answers of a group."""
    masks = tuple(None if one.mask is None else decode_rle(one.mask) for one in group.answers)
    ious, boundary_ious = np.full((2, len(masks), len(masks)), np.nan)
    for i, mask in enumerate(masks):
        if mask is not None:
            ious[i, i] = boundary_ious[i, i] = 1.0
    for i, j in combinations(range(len(masks)), 2):
        one, two = masks[i], masks[j]
        if one is not None and two is not None:
            same = one.shape == two.shape
            ious[i, j] = ious[j, i] = compute_iou(one, two) if same else 0.0
            boundary_ious[i, j] = boundary_ious[j, i] = compute_boundary_iou(one, two) if same else 0.0
    stances = tuple(_find_stance(one) for one in group.answers)
    skipped = [i for i, stance in enumerate(stances) if stance == 2]
    referents = number_referents(masks, ious, skipped)
    return ComparedAnswers(group, masks, stances, ious, boundary_ious, referents)


def _find_stance(answer: PersonAnswer) -> int:
    if answer.mask is not None:
        return 0
    return 2 if answer.verdict is Verdict.SKIPPED else 1


@dataclass(frozen=True, slots=True, eq=False)
class Consensus:
    """What most people mean.

    Attributes:
        has_referent: whether they mean a mask, or that there is no referent.
        members: positions of the answers that mean the same.
        majority: bool [H, W], pixels in more than half of their masks; None without a referent.
        staple: the consensus by STAPLE of 3 to 62 masks; None for fewer or more.
    """

    has_referent: bool
    members: tuple[int, ...]
    majority: NDArray[np.bool_] | None
    staple: Staple | None


def find_consensus(compared: ComparedAnswers) -> Consensus | None:
    """Find what more than half of the people who did not skip mean; None if they do not agree so far."""
    members = find_most_common(compared.referents)
    if not members:
        return None
    masks = [mask for i in members if (mask := compared.masks[i]) is not None]
    if not masks:
        return Consensus(False, members, None, None)
    has_staple = 2 < len(masks) <= MAX_STAPLE_MASKS
    staple = estimate_staple_in_box(masks) if has_staple else None
    return Consensus(True, members, find_majority_mask(masks), staple)
