"""Krippendorff's alpha: agreement above chance, for any distance between two answers.

Source: Krippendorff, Computing Krippendorff's Alpha-Reliability (2011); the distance 1 - IoU of masks follows
Nassar et al., arXiv 1912.10107.
"""

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ris.core.shares import Share

_GRID = 64  # rows and columns of points at which masks of different images are compared
_CELLS = (2 * np.arange(_GRID) + 1) / (2 * _GRID)


def compute_disagreements(distances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute the mean distance, float64 [M], of each answer of a task to its other M - 1 answers.

    Args:
        distances: float64 [M, M] with M of at least 2, symmetric, 0 on the diagonal.
    """
    means: NDArray[np.float64] = distances.sum(1) / (len(distances) - 1)
    return means


def compute_chance(distances: NDArray[np.float64]) -> float:
    """Compute the disagreement by chance: the mean distance of two different answers out of N.

    Args:
        distances: float64 [N, N], symmetric, 0 on the diagonal.

    Returns:
        NaN for fewer than two answers.
    """
    n_pairs = len(distances) * (len(distances) - 1)
    return float(distances.sum() / n_pairs) if n_pairs else float("nan")


def compute_nominal_chance(counts: Counter[Hashable]) -> float:
    """Compute the disagreement by chance of answers that are equal or not, from how often each was given."""
    n_answers = counts.total()
    n_pairs = n_answers * (n_answers - 1)
    return 1 - sum(n * (n - 1) for n in counts.values()) / n_pairs if n_pairs else float("nan")


def to_alpha(observed: Share, chance: float) -> Share:
    """Convert an observed disagreement to alpha: 1 is perfect agreement, 0 is agreement by chance.

    The interval is that of the observed disagreement with the chance held fixed, as in Krippendorff's own
    bootstrap.

    Args:
        observed: the mean over all answers of `compute_disagreements`.
        chance: of the same answers. With 0, all answers are equal, and alpha says nothing: the result is
            empty.
    """
    if not observed.count or not chance > 0:
        return Share(float("nan"), float("nan"), float("nan"), 0)
    mean, low, high = (1 - value / chance for value in (observed.mean, observed.high, observed.low))
    return Share(mean, low, high, observed.count)


@dataclass(frozen=True, slots=True, eq=False)
class GridMask:
    """A mask at 64 x 64 points of its image, to compare masks of images of different sizes.

    Attributes:
        points: packed bits of bool [64 * 64]; None for the answer that there is no referent.
    """

    points: NDArray[np.uint8] | None


def to_grid(mask: NDArray[np.bool_] | None) -> GridMask:
    """Convert a mask bool [H, W] to its values at 64 x 64 points."""
    if mask is None:
        return GridMask(None)
    rows, columns = ((_CELLS * length).astype(np.int64) for length in mask.shape)
    return GridMask(np.packbits(mask[np.ix_(rows, columns)]))


def compute_grid_distances(masks: Sequence[GridMask]) -> NDArray[np.float64]:
    """Compute 1 - IoU of each two answers, float64 [N, N].

    It is 0 for two answers that there is no referent, and 1 for one of these and a mask. A mask so small that
    no point is inside has nothing in common with another one.
    """
    has_mask = np.array([one.points is not None for one in masks], np.bool_)
    none = np.zeros(_GRID * _GRID // 8, np.uint8)
    packed = np.array([none if one.points is None else one.points for one in masks], np.uint8)
    points = np.unpackbits(packed.reshape(len(masks), len(none)), axis=1).astype(np.float32)
    inside = (points @ points.T).astype(np.float64)
    union = np.diag(inside)[:, None] + np.diag(inside)[None, :] - inside
    distances: NDArray[np.float64] = 1 - inside / np.maximum(union, 1)
    distances[np.ix_(~has_mask, ~has_mask)] = 0
    np.fill_diagonal(distances, 0)
    return distances
