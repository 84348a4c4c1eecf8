import numpy as np
import pytest

from ris.pretrained.regions.edges import enlarge_labels, enlarge_mask, shrink_area


def test_an_outline_moves_to_the_edge_of_the_larger_image():
    pixels = np.zeros((40, 40, 3), np.uint8)
    pixels[:, 22:] = 255  # in the small image the edge is at 20 or 24
    labels = np.zeros((10, 10), np.int32)
    labels[:, 5:] = 1

    found = enlarge_labels(labels, pixels)

    first = (found == 1).argmax(1)
    assert (abs(first - 22) <= 1).all() and ((found == 1).sum(1) == 40 - first).all()


def test_a_segment_thinner_than_the_reach_keeps_its_place():
    labels = np.zeros((10, 10), np.int32)
    labels[:, 5] = 1

    found = enlarge_labels(labels, np.zeros((40, 40, 3), np.uint8))

    assert (found[:, 20:24] == 1).all()


def test_labels_of_the_image_size_stay():
    labels = np.arange(12, dtype=np.int32).reshape(3, 4)

    assert enlarge_labels(labels, np.zeros((3, 4, 3), np.uint8)) is labels


SHRUNK = [((800, 400), (400, 200)), ((30, 40), (30, 40)), ((2000, 1), (400, 1))]


@pytest.mark.parametrize(("size", "shrunk"), SHRUNK)
def test_an_image_is_shrunk_to_the_longest_side_and_never_enlarged(size, shrunk):
    assert shrink_area(np.zeros((*size, 3), np.uint8), 400).shape == (*shrunk, 3)


def test_a_mask_of_one_pixel_is_there_after_it_is_enlarged():
    mask = np.zeros((4, 4), np.bool_)
    mask[1, 2] = True

    assert enlarge_mask(mask, (40, 40))[14, 24]
