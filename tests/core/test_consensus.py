import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ris.core.consensus import estimate_staple, find_majority_mask
from tests.builders.answers import paint


def block(rows, columns):
    mask = np.zeros((6, 8), np.bool_)
    mask[rows, columns] = True
    return mask


THREE = [
    block(slice(1, 4), slice(1, 5)), block(slice(1, 4), slice(2, 6)), block(slice(1, 5), slice(1, 5)),
]  # fmt: skip


def test_the_majority_is_in_more_than_half_of_the_masks():
    assert find_majority_mask([paint(0, 4), paint(2, 6)]).tolist() == paint(2, 4).tolist()
    assert find_majority_mask([paint(0, 4), paint(2, 6), paint(3, 9)]).tolist() == paint(2, 6).tolist()


def test_staple_gives_what_simpleitk_gives():
    """The expected numbers are those of SimpleITK 2.5.7, `STAPLEImageFilter`, on these three masks."""
    found = estimate_staple(THREE)

    assert found.mask.tolist() == THREE[0].tolist()
    assert found.sensitivity == pytest.approx([0.9999999746, 0.7499999810, 1.0], abs=1e-6)
    assert found.specificity == pytest.approx([1.0, 0.9166666656, 0.8888888964], abs=1e-6)


def test_staple_believes_two_who_agree_more_than_one_who_does_not():
    """By majority, too; but STAPLE says who is the other one."""
    found = estimate_staple([paint(0, 4), paint(0, 4), paint(6, 9)])

    assert found.mask.tolist() == paint(0, 4).tolist()
    assert found.sensitivity.round(3).tolist() == [1, 1, 0]


def test_equal_masks_are_their_consensus():
    found = estimate_staple([paint(3, 5)] * 3)

    assert found.mask.tolist() == paint(3, 5).tolist()
    assert found.sensitivity == pytest.approx([1, 1, 1])


@given(st.lists(st.integers(0, 2**12 - 1), min_size=2, max_size=6))
def test_staple_of_any_masks_ends_with_shares(numbers):
    masks = [np.array([[n >> bit & 1 for bit in range(12)]], np.bool_) for n in numbers]

    found = estimate_staple(masks)

    assert found.mask.shape == (1, 12)
    for shares in (found.sensitivity, found.specificity):
        assert ((shares >= 0) & (shares <= 1)).all()


@pytest.mark.parametrize("count", [0, 1, 63])
def test_too_few_or_too_many_masks_are_refused(count):
    with pytest.raises(ValueError, match=f"STAPLE needs 2 to 62 masks, got {count}"):
        estimate_staple([paint(0, 1)] * count)
