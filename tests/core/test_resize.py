import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from ris.core.resize import resize, scale_to_shorter_side

SIZES = [
    ((37, 53), (12, 12)),
    ((480, 640), (7, 7)),
    ((30, 20), (144, 144)),
    ((5, 5), (5, 5)),
    ((1, 1), (7, 7)),
]


@pytest.mark.parametrize("antialias", [False, True], ids=["points", "averages"])
@pytest.mark.parametrize(("size", "target"), SIZES)
def test_resize_agrees_with_pytorch(size, target, antialias):
    array = np.random.default_rng(0).random((2, *size), np.float32)

    got = resize(array, target, antialias=antialias)

    tensor = torch.tensor(array)[None]
    wanted = F.interpolate(tensor, target, mode="bilinear", align_corners=False, antialias=antialias)[0]
    np.testing.assert_allclose(got, wanted.numpy(), atol=5e-6)


def test_points_of_a_mask_are_blends_of_the_four_pixels_around_each_cells_centre():
    """The closed form of bilinear sampling: sample at (i + 0.5) * H / g - 0.5."""
    mask = np.random.default_rng(1).random((30, 41)) > 0.5
    got = resize(mask, (7, 5), antialias=False)

    for i in range(7):
        for j in range(5):
            y, x = (i + 0.5) * 30 / 7 - 0.5, (j + 0.5) * 41 / 5 - 0.5
            y0, x0 = int(y), int(x)
            b, a = y - y0, x - x0
            corners = mask[y0 : y0 + 2, x0 : x0 + 2].astype(float)
            wanted = np.array([1 - b, b]) @ corners @ np.array([1 - a, a])
            assert got[i, j] == pytest.approx(wanted, abs=1e-5)


def test_points_miss_a_small_mask_that_averages_see():
    mask = np.zeros((70, 70), np.bool_)
    mask[0:3, 0:3] = True

    assert resize(mask, (7, 7), antialias=False).max() == 0
    assert resize(mask, (7, 7), antialias=True).max() > 0


def test_averages_keep_the_mean():
    array = np.random.default_rng(2).random((24, 36), np.float32)

    assert resize(array, (4, 6), antialias=True).mean() == pytest.approx(array.mean(), abs=0.02)


@pytest.mark.parametrize("side", [7, 16, 224, 336, 800])
def test_a_square_gets_exactly_the_side_that_is_asked_for(side):
    assert {scale_to_shorter_side((n, n), side) for n in range(1, 641)} == {(side, side)}


def test_the_longer_side_is_cut_and_not_rounded():
    assert scale_to_shorter_side((480, 640), 800) == (800, 1066)
    assert scale_to_shorter_side((640, 480), 800) == (1066, 800)


@given(st.tuples(st.integers(1, 4000), st.integers(1, 4000)), st.integers(1, 1024))
def test_the_shorter_side_is_always_met_and_a_picture_and_its_turned_one_agree(size, side):
    height, width = scale_to_shorter_side(size, side)

    assert min(height, width) == side
    assert scale_to_shorter_side(size[::-1], side) == (width, height)


def test_it_is_torchvisions_size_for_every_height_at_width_640():
    from torchvision.transforms.functional import _compute_resized_output_size

    for height in range(300, 641):
        assert list(scale_to_shorter_side((height, 640), 800)) == _compute_resized_output_size(
            (height, 640), [800]
        )
