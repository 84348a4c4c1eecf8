import numpy as np
import pytest

from ris.core.boxes import compute_authors_box, compute_box, compute_boxes
from tests.builders.masks import rectangle


def test_a_box_is_tight_with_an_exclusive_end():
    assert compute_box(rectangle((10, 12), 3, 2, 7, 5)) == (3, 2, 7, 5)


def test_boxes_of_no_masks_are_no_boxes():
    boxes = compute_boxes(np.zeros((0, 4, 4), np.bool_))

    assert (boxes.shape, boxes.dtype) == ((0, 4), np.float32)


@pytest.mark.parametrize("rule", [compute_box, compute_authors_box])
def test_an_empty_mask_has_no_box(rule):
    with pytest.raises(ValueError, match="an empty mask has no box"):
        rule(np.zeros((4, 4), np.bool_))


def test_the_authors_box_lies_one_pixel_up_left_of_the_tight_one():
    """Columns a..b give x1 = a - 1 and x2 = b; that is what the released code computes."""
    assert compute_authors_box(rectangle((10, 12), 3, 2, 7, 5)) == (2, 1, 6, 4)


def test_the_authors_box_stays_inside_at_the_upper_left_border():
    assert compute_authors_box(rectangle((10, 12), 0, 0, 4, 3)) == (0, 0, 3, 2)


def test_the_authors_box_of_two_parts_is_as_wide_as_their_columns_are_many():
    mask = rectangle((10, 20), 0, 0, 2, 2) | rectangle((10, 20), 16, 8, 20, 10)

    # columns 0 1 16 17 18 19: mean 11.83, six of them; rows 0 1 8 9: mean 4.5, four
    assert compute_authors_box(mask) == (8, 2, 14, 6)


def test_the_authors_box_is_never_without_pixels():
    assert compute_authors_box(rectangle((5, 5), 0, 0, 1, 1)) == (0, 0, 1, 1)
