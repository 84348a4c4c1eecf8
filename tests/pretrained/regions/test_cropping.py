import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ris.pretrained.regions.cropping import Crop, crop_around

SHARES, SIDES = st.floats(0, 1), st.integers(1, 50)


@given(SHARES, SHARES, SHARES, SHARES, SIDES, SIDES)
def test_a_crop_has_pixels_in_an_image_of_any_size(a, b, c, d, height, width):
    crop = Crop((min(a, b), min(c, d), max(a, b), max(c, d)))

    assert crop.cut(np.zeros((height, width, 3), np.uint8), (4, 5)).shape == (4, 5, 3)


def test_the_crop_is_the_same_part_at_every_size():
    crop = crop_around((20, 10, 40, 30), (100, 100), margin=0.5)

    assert crop.get_slices((100, 100)) == (slice(0, 41), slice(9, 51))
    assert crop.get_slices((200, 200)) == (slice(0, 82), slice(18, 102))


def test_a_mask_stays_a_mask():
    mask = np.zeros((10, 10), np.bool_)
    mask[:, 5:] = True

    assert np.array_equal(Crop((0, 0, 1, 1)).cut(mask, (20, 20)), mask.repeat(2, 0).repeat(2, 1))
