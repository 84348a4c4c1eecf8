import math

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
    assert str(estimate_share([], [])) == "no samples"
