"""Consensus of several masks of one referent: by majority, and by STAPLE."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_MAX_ROUNDS = 200
_ENOUGH = 1e-7  # change of a sensitivity or specificity below which the estimation ends
_LEAST = 1e-9  # keeps logarithms finite
MAX_STAPLE_MASKS = 62  # a pixel's votes are the bits of one integer


@dataclass(frozen=True, slots=True, eq=False)
class Staple:
    """The consensus by STAPLE.

    Attributes:
        mask: bool [H, W], pixels with a probability above one half.
        sensitivity: float64 [M], share of the referent's pixels that each mask has.
        specificity: float64 [M], share of the other pixels that each mask leaves out.
    """

    mask: NDArray[np.bool_]
    sensitivity: NDArray[np.float64]
    specificity: NDArray[np.float64]


def find_majority_mask(masks: Sequence[NDArray[np.bool_]]) -> NDArray[np.bool_]:
    """Return the pixels that are in more than half of the masks, bool [H, W]."""
    return np.asarray(2 * np.sum(masks, axis=0, dtype=np.int64) > len(masks))


def estimate_staple(masks: Sequence[NDArray[np.bool_]]) -> Staple:
    """Estimate the referent and each mask's quality together, by expectation maximization.

    Pixels with the same votes are one case, so the cost grows with the number of different votes. The share
    of pixels inside is the mean of the masks, and all start with 0.99999, as in SimpleITK's filter.

    Args:
        masks: M masks bool [H, W]; 2 to 62. Two masks alone do not say which of them is better.

    Raises:
        ValueError: there are fewer masks, or more.

    Source: Warfield, Zou and Wells, STAPLE (IEEE TMI 2004), section II.
    """
    if not 2 <= len(masks) <= MAX_STAPLE_MASKS:
        raise ValueError(f"STAPLE needs 2 to {MAX_STAPLE_MASKS} masks, got {len(masks)}")
    codes = np.zeros(masks[0].shape, np.int64)
    for number, mask in enumerate(masks):
        codes |= mask.astype(np.int64) << number
    cases, case_of, n_pixels = np.unique(codes, return_inverse=True, return_counts=True)
    votes = (cases[:, None] >> np.arange(len(masks)) & 1).astype(np.float64)
    prior = float(votes.T @ n_pixels @ np.ones(len(masks)) / (codes.size * len(masks)))
    sensitivity = specificity = np.full(len(masks), 0.99999)
    inside: NDArray[np.float64] = np.zeros(len(cases))
    for _ in range(_MAX_ROUNDS):
        inside = _weigh_votes(votes, prior, sensitivity, specificity)
        was = np.concatenate([sensitivity, specificity])
        weight, rest = inside * n_pixels, (1 - inside) * n_pixels
        sensitivity = np.minimum(weight @ votes / max(weight.sum(), _LEAST), 1.0)
        specificity = np.minimum(rest @ (1 - votes) / max(rest.sum(), _LEAST), 1.0)
        if np.abs(np.concatenate([sensitivity, specificity]) - was).max() < _ENOUGH:
            break
    return Staple((inside > 0.5)[case_of].reshape(codes.shape), sensitivity, specificity)


def estimate_staple_in_box(masks: Sequence[NDArray[np.bool_]]) -> Staple:
    """Estimate the consensus in the box around all masks, as `estimate_staple`; outside everybody is right.

    Args:
        masks: M masks bool [H, W] with at least one pixel; 2 to 62.

    Raises:
        ValueError: there are fewer masks, or more.
    """
    rows, columns = np.nonzero(np.logical_or.reduce(masks))
    box = slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1)
    found = estimate_staple([mask[box] for mask in masks])
    whole = np.zeros_like(masks[0])
    whole[box] = found.mask
    return Staple(whole, found.sensitivity, found.specificity)


def find_staple_mask(masks: Sequence[NDArray[np.bool_]]) -> NDArray[np.bool_]:
    """Return the consensus by STAPLE, bool [H, W]; by majority of fewer than 3 masks, or more than 62.

    Two masks alone do not say which of them is better.

    Args:
        masks: M masks bool [H, W] with at least one pixel.
    """
    if 2 < len(masks) <= MAX_STAPLE_MASKS:
        return estimate_staple_in_box(masks).mask
    return find_majority_mask(masks)


def _weigh_votes(
    votes: NDArray[np.float64],
    prior: float,
    sensitivity: NDArray[np.float64],
    specificity: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the probability that pixels with these votes are inside, float64 [cases]."""
    is_in, is_out = (np.clip(one, _LEAST, 1 - _LEAST) for one in (sensitivity, specificity))
    shown = votes @ np.log(is_in) + (1 - votes) @ np.log1p(-is_in) + np.log(max(prior, _LEAST))
    absent = votes @ np.log1p(-is_out) + (1 - votes) @ np.log(is_out) + np.log(max(1 - prior, _LEAST))
    probability: NDArray[np.float64] = 1 / (1 + np.exp(np.clip(absent - shown, -700, 700)))
    return probability
