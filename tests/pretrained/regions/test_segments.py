import numpy as np
import pytest

from ris.core.masks import compute_iou
from ris.pretrained.masks.settings import GroupingSettings
from ris.pretrained.regions.segments import compute_gradient, describe_segments, find_segments


def test_every_thing_is_made_of_whole_segments(tree, mask_named):
    labels, areas = tree.segments.labels, tree.segments.areas

    for name in ("red", "blue", "white"):
        mostly = np.bincount(labels.ravel(), mask_named(name).ravel(), minlength=len(areas)) > areas / 2
        assert compute_iou(mostly[labels], mask_named(name)) > 0.95


def test_a_busy_image_has_no_more_segments_than_allowed():
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)

    labels = find_segments(noise, GroupingSettings(max_segments=30))

    assert labels.max() < 30 and set(np.unique(labels)) == set(range(labels.max() + 1))


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 50, 3), (400, 3, 3)])
def test_an_image_of_any_shape_has_segments(shape):
    pixels = np.full(shape, 90, np.uint8)

    segments = describe_segments(pixels, find_segments(pixels, GroupingSettings()))

    assert segments.areas.sum() == shape[0] * shape[1]


def test_an_outline_has_one_length_from_both_sides():
    labels = np.array([[0, 0, 1], [0, 0, 1]], np.int32)

    segments = describe_segments(np.zeros((2, 3, 3), np.uint8), labels)

    assert segments.shared.tolist() == [[0, 2], [2, 0]]
    assert segments.frame.tolist() == [6, 4]
    assert segments.boxes.tolist() == [[0, 0, 2, 2], [2, 0, 3, 2]]
    assert segments.areas.tolist() == [4, 2]


def test_the_gradient_is_zero_where_nothing_changes():
    assert compute_gradient(np.full((8, 8, 3), 50, np.float32)).max() == 0
