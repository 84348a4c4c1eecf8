import math

import numpy as np
import pytest

from ris.core.shares import estimate_share


def test_a_share_is_the_mean_over_all_samples():
    assert estimate_share([1.0, 0.0, 0.0, 1.0, 1.0], [0, 0, 1, 1, 2]).mean == pytest.approx(0.6)


def test_the_interval_is_reproducible_and_holds_the_mean():
    values, groups = [1.0, 0.0] * 50, list(range(100))

    first, second = estimate_share(values, groups, seed=3), estimate_share(values, groups, seed=3)

    assert first == second
    assert first.low < first.mean < first.high


def test_samples_of_one_image_make_the_interval_wider_than_independent_ones():
    values = [1.0] * 50 + [0.0] * 50

    together = estimate_share(values, [i // 10 for i in range(100)])
    apart = estimate_share(values, list(range(100)))

    assert together.high - together.low > 2 * (apart.high - apart.low)


def test_no_samples_give_no_number():
    assert estimate_share([], []).count == 0
    assert math.isnan(estimate_share([], []).mean)
    assert str(estimate_share([], [])) == "-"


def test_the_interval_of_many_groups_is_that_of_resampling():
    """Within the Monte-Carlo error of 1,000 resamples; both ways see the same sums of groups."""
    rng = np.random.default_rng(2)
    groups = np.repeat(np.arange(6000), rng.integers(1, 6, 6000))
    values = rng.random(len(groups)) < np.clip(rng.normal(0.6, 0.2, 6000), 0, 1)[groups]

    expanded = estimate_share(values, groups)

    sums, counts = np.bincount(groups, weights=values), np.bincount(groups)
    drawn = rng.integers(0, 6000, (4000, 6000))
    means = sums[drawn].sum(1) / counts[drawn].sum(1)
    low, high = np.quantile(means, [0.025, 0.975])
    assert expanded.mean == pytest.approx(values.mean())
    assert (expanded.low, expanded.high) == pytest.approx((low, high), abs=0.08 * (high - low))


def test_an_interval_of_one_group_is_not_shown():
    assert str(estimate_share([1.0, 0.0], [3, 3])) == "0.500"
    assert str(estimate_share([1.0, 1.0], [1, 2])) == "1.000"
    assert "[" in str(estimate_share([1.0, 0.0], [1, 2]))
