import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ris.quality.gold import estimate_right_share, measure_gold
from tests.builders.answers import paint
from tests.builders.gold import gold_answer, gold_answers


def test_an_answer_is_right_where_it_means_what_is_known():
    report = measure_gold([
        gold_answer(1, paint(0, 4), paint(0, 6)), gold_answer(1, None, paint(0, 6), "b"),
        gold_answer(1, None, None, "c"), gold_answer(1, paint(0, 4), None, "d"),
        gold_answer(1, paint(0, 4), paint(0, 4, (2, 10)), "e"),
    ])  # fmt: skip

    figures = report.people[1]
    assert (figures["right referent"].mean, figures["right referent"].count) == (2 / 4, 4)
    assert (figures["IoU"].mean, figures["IoU"].count) == pytest.approx((4 / 6 / 2, 2))
    assert figures["boundary IoU"].count == 2
    assert report.n_unlike == 1  # the known mask is not of that image
    assert report.team == figures
    assert report.others[1]["IoU"].count == 0


def test_who_is_below_all_others_is_found_and_nobody_else():
    report = measure_gold([*gold_answers(1, 28, 2), *gold_answers(2, 27, 3), *gold_answers(3, 10, 20)])

    assert (3, "right referent") in report.find_below()
    assert {person for person, _ in report.find_below()} == {3}


def test_few_answers_are_not_enough_to_be_below():
    assert measure_gold([*gold_answers(1, 28, 2), *gold_answers(2, 0, 1)]).find_below() == []


def test_nobody_is_below_where_one_person_answered():
    assert measure_gold(gold_answers(1, 0, 30)).find_below() == []
    assert measure_gold([]).people == {}


def test_all_right_still_has_an_interval():
    """Clopper and Pearson (1934): the lower end for n of n is the n-th root of 0.025."""
    share = estimate_right_share(np.ones(10), np.arange(10))

    assert (share.mean, share.high, share.count) == (1, 1, 10)
    assert share.low == pytest.approx(0.025 ** (1 / 10))


def test_answers_about_one_image_count_as_fewer_where_they_are_right_together():
    values = np.array([1.0, 1.0, 1.0, 1.0, 0.0, 0.0])
    apart = estimate_right_share(values, np.arange(6))
    together = estimate_right_share(values, np.array([0, 0, 1, 1, 2, 2]))

    assert together.low < apart.low < apart.mean < apart.high < together.high
    assert together.count == apart.count == 6


def test_people_who_answer_the_same_images_independently_count_almost_apart():
    rng = np.random.default_rng(3)
    values, images = (rng.random(400) < 0.9).astype(float), np.repeat(np.arange(100), 4)
    many, few = estimate_right_share(values, images), estimate_right_share(values[::4], images[::4])

    assert many.high - many.low < 0.7 * (few.high - few.low)


@given(st.integers(0, 40), st.integers(1, 40))
def test_the_interval_holds_the_share(n_right, n_more):
    values = np.array([1.0] * n_right + [0.0] * n_more)
    share = estimate_right_share(values, np.arange(len(values)))

    assert 0 <= share.low <= share.mean <= share.high <= 1
    assert share.has_interval


def test_the_interval_holds_the_true_share_in_95_of_100_samples():
    rng = np.random.default_rng(5)
    hits = [
        share.low <= 0.8 <= share.high
        for _ in range(400)
        for share in [estimate_right_share((rng.random(25) < 0.8).astype(float), np.arange(25))]
    ]

    assert np.mean(hits) >= 0.95
