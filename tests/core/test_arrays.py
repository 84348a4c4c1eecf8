import numpy as np
import pytest

from ris.core.arrays import normalise_rows, to_read_only


def test_the_view_is_read_only_and_the_array_is_not_copied():
    array = np.zeros((2, 2), np.float32)

    view = to_read_only("it", array, np.float32, 2, None)

    assert np.shares_memory(view, array)
    assert not view.flags.writeable
    assert array.flags.writeable


def test_another_number_of_axes_is_refused():
    with pytest.raises(ValueError, match=r"it must be float32 \[2\], got float32 \[2, 2\]"):
        to_read_only("it", np.zeros((2, 2), np.float32), np.float32, 2)


def test_rows_become_one_long_and_a_row_of_zeros_stays():
    got = normalise_rows(np.array([[3, 4], [0, 0], [0, -2]], np.float32))

    assert got.dtype == np.float32
    np.testing.assert_allclose(got, [[0.6, 0.8], [0, 0], [0, -1]], atol=1e-7)
