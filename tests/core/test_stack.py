import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from ris.core.stack import MaskStack


@given(
    arrays.arrays(np.bool_, st.tuples(st.integers(0, 4), st.integers(1, 13), st.integers(1, 13)))
)  # fmt: skip
def test_what_was_packed_is_what_comes_out(masks):
    stack = MaskStack.from_masks(masks, masks.shape[1:])

    assert stack.shape == masks.shape
    np.testing.assert_array_equal(np.asarray(stack), masks)
    np.testing.assert_array_equal(np.array(list(stack)).reshape(masks.shape), masks)
    for i in range(len(masks)):
        assert stack[i].dtype == np.bool_
        np.testing.assert_array_equal(stack[i], masks[i])


def test_a_pixel_takes_a_bit():
    stack = MaskStack.from_masks((np.zeros((80, 100), np.bool_) for _ in range(5)), (80, 100))

    assert sum(row.nbytes for row in stack.packed) == 5 * 1000


@pytest.mark.parametrize("mask", [np.zeros((3, 4), np.bool_), np.zeros((4, 3), np.uint8)])
def test_another_shape_or_dtype_is_refused(mask):
    with pytest.raises(ValueError, match=r"a mask must be bool \[4, 3\], got"):
        MaskStack.from_masks([mask], (4, 3))


def test_there_is_none_beyond_the_last():
    with pytest.raises(IndexError):
        MaskStack.from_masks([], (4, 3))[0]
