"""Means with confidence intervals."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

_N_RESAMPLES = 1000
_MAX_RESAMPLED_GROUPS = 2_000  # more groups have an interval by the delta method, in linear time and memory
_Z_95 = 1.959963984540054  # 97.5 % quantile of the normal distribution


@dataclass(frozen=True, slots=True)
class Share:
    """A mean over samples and its 95 % interval.

    Attributes:
        mean: of the samples.
        low, high: interval over groups, because samples of one image are not independent.
        count: number of samples.
    """

    mean: float
    low: float
    high: float
    count: int

    @property
    def has_interval(self) -> bool:
        """Whether the interval says something: with one group, or with equal groups, it has no width."""
        return self.low < self.high

    def __str__(self) -> str:
        if not self.count:
            return "-"
        return (
            f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}]" if self.has_interval else f"{self.mean:.3f}"
        )


def estimate_share(values: ArrayLike, groups: ArrayLike, *, seed: int = 0) -> Share:
    """Estimate the mean of values with an interval over whole groups.

    Up to 2,000 groups it is the percentile interval of 1,000 bootstrap resamples of groups. For more it is
    the normal interval of a ratio of two sums over groups, with the variance by the delta method (e.g.
    Cochran, Sampling Techniques, 3rd edition, equation 6.13 without its correction for a finite population).

    Args:
        values: [N], one per sample, e.g. 1.0 for right and 0.0 for wrong.
        groups: [N], the number of the image of each sample; memory grows with the range of the numbers.
        seed: of the resampling.

    Returns:
        The mean with its interval; NaN and count 0 without values.
    """
    samples, numbers = np.asarray(values, np.float64), np.array(groups, np.int64)
    if len(samples) == 0:
        return Share(float("nan"), float("nan"), float("nan"), 0)
    numbers -= numbers.min()
    counts: NDArray[np.intp] = np.bincount(numbers)
    sums: NDArray[np.float64] = np.bincount(numbers, weights=samples)[counts > 0].astype(np.float64)
    counts = counts[counts > 0]
    interval = _resample(sums, counts, seed) if len(sums) <= _MAX_RESAMPLED_GROUPS else _expand(sums, counts)
    return Share(float(sums.sum() / counts.sum()), *interval, len(samples))


def _resample(sums: NDArray[np.float64], counts: NDArray[np.intp], seed: int) -> tuple[float, float]:
    weights = _draw_weights(len(sums), seed)
    low, high = np.quantile((weights @ sums) / (weights @ counts), [0.025, 0.975])
    return float(low), float(high)


@lru_cache(maxsize=1)  # a report has many figures in a row over the same groups; at most 16 MB
def _draw_weights(n_groups: int, seed: int) -> NDArray[np.float64]:
    """Return how often each resample draws each group, float64 [1000, G]."""
    drawn = np.random.default_rng(seed).integers(0, n_groups, (_N_RESAMPLES, n_groups))
    drawn += n_groups * np.arange(_N_RESAMPLES)[:, None]
    counts = np.bincount(drawn.ravel(), minlength=_N_RESAMPLES * n_groups)
    return counts.reshape(_N_RESAMPLES, n_groups).astype(np.float64)


def _expand(sums: NDArray[np.float64], counts: NDArray[np.intp]) -> tuple[float, float]:
    mean = sums.sum() / counts.sum()
    half = _Z_95 * float(np.sqrt(((sums - mean * counts) ** 2).sum())) / float(counts.sum())
    return float(mean) - half, float(mean) + half
