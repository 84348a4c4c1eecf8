"""Means with confidence intervals."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_N_RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Share:
    """A mean over samples and its 95 % interval.

    Attributes:
        mean: of the samples.
        low, high: bootstrap interval over groups, because samples of one image are not independent.
        count: number of samples.
    """

    mean: float
    low: float
    high: float
    count: int

    def __str__(self) -> str:
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}]" if self.count else "no samples"


def estimate_share(values: Sequence[float], groups: Sequence[int], *, seed: int = 0) -> Share:
    """Estimate the mean of values with a bootstrap interval that resamples whole groups.

    Args:
        values: one per sample, e.g. 1.0 for right and 0.0 for wrong.
        groups: the number of the image of each sample.
        seed: of the resampling.

    Returns:
        The mean with its interval; NaN and count 0 without values.
    """
    if len(values) == 0:
        return Share(float("nan"), float("nan"), float("nan"), 0)
    sums, counts = _sum_by_group(np.asarray(values, np.float64), np.asarray(groups))
    drawn = np.random.default_rng(seed).integers(0, len(sums), (_N_RESAMPLES, len(sums)))
    means = sums[drawn].sum(1) / counts[drawn].sum(1)
    low, high = np.quantile(means, [0.025, 0.975])
    return Share(float(sums.sum() / counts.sum()), float(low), float(high), len(values))


def _sum_by_group(
    values: NDArray[np.float64], groups: NDArray[np.int_]
) -> tuple[NDArray[np.float64], NDArray[np.int_]]:
    _, index = np.unique(groups, return_inverse=True)
    sums = np.bincount(index, weights=values).astype(np.float64)
    return sums, np.bincount(index)
