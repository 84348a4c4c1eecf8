from dataclasses import replace

import numpy as np
import pytest

from ris.pretrained.catalog.presets import TINY
from ris.pretrained.masks.selection import GeneratedMasks, select_proposals, shrink_bilinear
from tests.builders.masks import rectangle

SIZE = (40, 60)
OPEN = replace(
    TINY.proposals,
    min_area_share=0.0,
    max_area_share=1.0,
    same_mask_iou=0.9,
    speck_share=0.0,
    max_proposals=9,
)


def found(*masks, trust=None):
    trust = np.linspace(0.9, 0.5, len(masks)) if trust is None else np.array(trust)
    stacked = np.array(masks, np.bool_).reshape(-1, *SIZE)
    return GeneratedMasks(stacked, trust.astype(np.float32), np.ones(len(masks), np.float32))


def areas(proposals):
    return np.asarray(proposals.masks).sum((1, 2)).tolist()


def test_the_most_trusted_come_first_with_their_trust():
    small, large = rectangle(SIZE, 0, 0, 10, 10), rectangle(SIZE, 20, 0, 40, 20)

    chosen = select_proposals(found(small, large, trust=[0.4, 0.8]), OPEN, SIZE, {"size": np.zeros(2)})

    assert areas(chosen) == [400, 100]
    assert chosen.quality.tolist() == pytest.approx([0.8, 0.4])
    assert set(chosen.features) == {"size"}


def test_specks_and_grounds_go():
    masks = [rectangle(SIZE, 0, 0, 2, 2), rectangle(SIZE, 10, 10, 20, 20), rectangle(SIZE, 0, 0, 60, 40)]

    chosen = select_proposals(found(*masks), replace(OPEN, min_area_share=0.01, max_area_share=0.5), SIZE, {})

    assert areas(chosen) == [100]


def test_an_absolute_floor_is_in_pixels_of_the_image():
    """Here the network was given the image at half its size: 400 pixels are 100 of its own."""
    masks = [rectangle(SIZE, 0, 0, 10, 10), rectangle(SIZE, 20, 20, 31, 30)]
    settings = replace(OPEN, min_area_px=401)

    chosen = select_proposals(found(*masks), settings, (80, 120), {})

    assert len(chosen) == 1
    assert chosen.boxes[0] == pytest.approx([40, 40, 62, 60], abs=1)


def test_of_two_that_overlap_much_the_smaller_goes_and_drops_others_still():
    """The middle one goes because of the large one, and takes the small one with it."""
    large, middle = rectangle(SIZE, 0, 0, 30, 20), rectangle(SIZE, 15, 0, 40, 20)
    small = rectangle(SIZE, 32, 0, 50, 15)

    chosen = select_proposals(found(small, middle, large), replace(OPEN, contained_share=0.4), SIZE, {})

    assert areas(chosen) == [large.sum()]


def test_of_two_as_large_as_each_other_the_later_goes_even_if_it_is_more_trusted():
    first, later = rectangle(SIZE, 0, 0, 20, 20), rectangle(SIZE, 8, 0, 28, 20)

    chosen = select_proposals(
        found(first, later, trust=[0.5, 0.9]), replace(OPEN, contained_share=0.4), SIZE, {}
    )

    np.testing.assert_array_equal(chosen.masks, first[None])


def test_nothing_found_is_nothing_selected():
    chosen = select_proposals(found(), replace(OPEN, contained_share=0.4), SIZE, {})

    assert (chosen.masks.shape, chosen.boxes.shape) == ((0, *SIZE), (0, 4))


def test_images_are_shrunk_and_never_enlarged():
    pixels = np.zeros((30, 60, 3), np.uint8)

    assert shrink_bilinear(pixels, 20).shape == (10, 20, 3)
    assert shrink_bilinear(pixels, 600).shape == (30, 60, 3)
