import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ris.core.referents import compute_answer_ious, find_most_common, number_referents
from ris.core.rle import encode_rle
from tests.builders.answers import paint


def number(*masks, skipped=()):
    answers = [None if mask is None else encode_rle(mask) for mask in masks]
    return number_referents(answers, compute_answer_ious(answers), skipped)


def test_masks_mean_the_same_through_others_and_skipped_answers_say_nothing():
    first, second, third, other, none, skipped = number(
        paint(0, 4), paint(1, 5), paint(2, 6), paint(8, 9), None, None, skipped=[5]
    )

    assert first == second == third
    assert len({first, other, none}) == 3
    assert skipped == -1


def test_masks_of_different_sizes_have_nothing_in_common():
    answers = [encode_rle(paint(0, 4)), None, encode_rle(paint(0, 4, (2, 10))), encode_rle(paint(0, 2))]

    assert compute_answer_ious(answers).tolist() == [[1, 0, 0, 0.5], [0] * 4, [0, 0, 1, 0], [0.5, 0, 0, 1]]


def test_most_is_more_than_half_of_those_who_say_something():
    assert find_most_common([3, 3, 1, -1]) == (0, 1)
    assert find_most_common([3, 1, -1]) == ()
    assert find_most_common([-1, -1]) == ()


@given(st.lists(st.integers(0, 15), min_size=1, max_size=6))
def test_referents_do_not_depend_on_the_order_of_the_answers(numbers):
    masks = [np.array([[n >> bit & 1 for bit in range(4)]], np.bool_) if n else None for n in numbers]

    forward, backward = number(*masks), number(*masks[::-1])[::-1]

    for i in range(len(masks)):
        for j in range(len(masks)):
            assert (forward[i] == forward[j]) == (backward[i] == backward[j])
