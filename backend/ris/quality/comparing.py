"""Compare the answers that several people gave to one task."""

from collections import Counter
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ris.core.masks import compute_boundary_iou, compute_iou
from ris.core.rle import decode_rle
from ris.core.types import Verdict
from ris.quality.consensus import Staple, estimate_staple, find_majority_mask
from ris.store.answer_groups import AnswerGroup, PersonAnswer

SAME_REFERENT_IOU = 0.5  # masks with a smaller IoU are of different objects, as in `store.disputes`
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
    return ComparedAnswers(group, masks, stances, ious, boundary_ious, _find_referents(stances, ious))


def _find_stance(answer: PersonAnswer) -> int:
    if answer.mask is not None:
        return 0
    return 2 if answer.verdict is Verdict.SKIPPED else 1


def _find_referents(stances: tuple[int, ...], ious: NDArray[np.float64]) -> tuple[int, ...]:
    referents = [i if stance == 0 else -1 for i, stance in enumerate(stances)]
    for i, j in combinations(range(len(stances)), 2):
        if ious[i, j] >= SAME_REFERENT_IOU and referents[i] != referents[j]:
            joined = referents[j]
            referents = [referents[i] if one == joined else one for one in referents]
    none = len(stances)
    return tuple(none if stance == 1 else one for one, stance in zip(referents, stances, strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class Consensus:
    """What most people mean.

    Attributes:
        has_referent: whether they mean a mask, or that there is no referent.
        members: positions of the answers that mean the same.
        majority: bool [H, W], pixels in more than half of their masks; None without a referent.
        staple: the consensus by STAPLE of at least three masks of one size; None for fewer.
    """

    has_referent: bool
    members: tuple[int, ...]
    majority: NDArray[np.bool_] | None
    staple: Staple | None


def find_consensus(compared: ComparedAnswers) -> Consensus | None:
    """Find what more than half of the people who did not skip mean; None if they do not agree so far."""
    counts = Counter(referent for referent in compared.referents if referent >= 0)
    if not counts:
        return None
    referent, n_members = counts.most_common(1)[0]
    if 2 * n_members <= counts.total():
        return None
    members = tuple(i for i, one in enumerate(compared.referents) if one == referent)
    masks = [mask for i in members if (mask := compared.masks[i]) is not None]
    if not masks:
        return Consensus(False, members, None, None)
    return Consensus(
        True, members, find_majority_mask(masks), _estimate_in_box(masks) if len(masks) > 2 else None
    )


def _estimate_in_box(masks: list[NDArray[np.bool_]]) -> Staple:
    """Estimate the consensus in the box around all masks; outside of it everybody is right."""
    rows, columns = np.nonzero(np.logical_or.reduce(masks))
    box = slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1)
    found = estimate_staple([mask[box] for mask in masks])
    whole = np.zeros_like(masks[0])
    whole[box] = found.mask
    return Staple(whole, found.sensitivity, found.specificity)
