"""Krippendorff's alpha on cases worked by hand, and beside the implementation of NLTK."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nltk.metrics.agreement import AnnotationTask

from ris.core.shares import estimate_share
from ris.quality.alpha import (
    compute_chance,
    compute_disagreements,
    compute_grid_distances,
    compute_nominal_chance,
    to_alpha,
    to_grid,
)
from tests.builders.answers import paint


def measure(units, distance):
    """Alpha of some tasks: their answers, and the distance of two."""
    answers = [answer for unit in units for answer in unit]
    table = lambda values: np.array([[distance(a, b) for b in values] for a in values], np.float64)  # noqa: E731
    observed = np.concatenate([compute_disagreements(table(unit)) for unit in units])
    share = estimate_share(observed, np.arange(len(observed)))
    return to_alpha(share, compute_chance(table(answers)))


def is_different(a, b):
    return float(a != b)


def compute_distance(a, b):
    return 1 - (a & b).sum() / (a | b).sum()


def test_masks_of_two_people_as_worked_by_hand():
    """Task 1: columns 0-3 and 0-3, distance 0. Task 2: columns 4-7 and 6-9, IoU 2/6, distance 2/3.

    Observed: (0 + 0 + 2/3 + 2/3) / 4 = 1/3. By chance: 0-3 has nothing in common with the others, so the six
    pairs have the distances 0, 1, 1, 1, 1 and 2/3: 14/18. Alpha is 1 - (1/3) / (7/9) = 4/7.
    """
    units = [[paint(0, 4), paint(0, 4)], [paint(4, 8), paint(6, 10)]]

    assert measure(units, compute_distance).mean == pytest.approx(4 / 7)


def test_verdicts_of_two_people_as_worked_by_hand():
    """Four tasks, aa aa bb ab. Observed: 2 of 8. By chance: 2 * 5 * 3 of 56 ordered pairs."""
    units = ["aa", "aa", "bb", "ab"]

    assert measure(units, is_different).mean == pytest.approx(1 - (1 / 4) / (30 / 56))
    assert compute_nominal_chance(Counter("aaaabbab")) == pytest.approx(30 / 56)


def test_tasks_with_more_answers_weigh_more():
    """Tasks aaa and ab: observed (0 + 0 + 0 + 1 + 1) / 5; by chance 2 * 4 * 1 of 20."""
    assert measure(["aaa", "ab"], is_different).mean == pytest.approx(1 - (2 / 5) / (8 / 20))


@given(st.lists(st.lists(st.sampled_from("abc"), min_size=2, max_size=4), min_size=2, max_size=8))
def test_alpha_is_that_of_nltk(units):
    chance = compute_nominal_chance(Counter(answer for unit in units for answer in unit))
    rows = [(str(who), str(item), said) for item, unit in enumerate(units) for who, said in enumerate(unit)]

    ours = measure(units, is_different)

    if chance == 0:
        assert ours.count == 0
    else:
        assert ours.mean == pytest.approx(AnnotationTask(rows, distance=is_different).alpha())


def test_the_interval_turns_with_the_sign():
    observed = estimate_share([0.0, 0.0, 1.0, 0.5], [0, 1, 2, 3])

    alpha = to_alpha(observed, 0.5)

    assert (alpha.low, alpha.mean, alpha.high) == pytest.approx(
        (1 - observed.high / 0.5, 0.25, 1 - observed.low / 0.5)
    )


def test_answers_that_are_all_equal_have_no_alpha():
    assert measure(["aa", "aa"], is_different).count == 0


def test_one_answer_has_no_chance():
    assert np.isnan(compute_chance(np.zeros((1, 1))))
    assert np.isnan(compute_nominal_chance(Counter("a")))


def test_masks_of_images_of_different_sizes_are_compared_in_one_frame():
    small, large = paint(0, 5, (2, 10)), paint(0, 50, (40, 100))
    masks = [to_grid(small), to_grid(large), to_grid(paint(5, 10)), to_grid(None), to_grid(None)]

    assert compute_grid_distances(masks).tolist() == [
        [0, 0, 1, 1, 1], [0, 0, 1, 1, 1], [1, 1, 0, 1, 1], [1, 1, 1, 0, 0], [1, 1, 1, 0, 0],
    ]  # fmt: skip


def test_no_masks_have_no_distances():
    assert compute_grid_distances([]).shape == (0, 0)
