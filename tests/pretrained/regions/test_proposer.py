import numpy as np
import pytest

from ris.core import rle
from ris.core.masks import compute_iou, compute_iou_matrix
from ris.core.types import Image
from ris.pretrained.masks.settings import GroupingSettings
from ris.pretrained.regions.proposer import GroupingProposer, fill_holes, unpack_regions
from ris.pretrained.regions.segments import describe_segments


def propose(image, **settings):
    return GroupingProposer(GroupingSettings(**settings)).propose(image)


def test_every_thing_is_proposed(things, mask_named):
    proposals = propose(things)

    for name in ("red", "blue", "white"):
        assert max(compute_iou(mask, mask_named(name)) for mask in proposals.masks) > 0.9


def test_edges_are_those_of_the_full_image(things, mask_named):
    proposals = propose(things, working_side=60)

    for name in ("red", "blue"):
        assert max(compute_iou(mask, mask_named(name)) for mask in proposals.masks) > 0.95


def test_proposals_are_few_distinct_and_best_first(things):
    proposals = propose(things, max_proposals=4)
    codes = [rle.encode_rle(mask) for mask in proposals.masks]

    overlaps = compute_iou_matrix(codes, codes) - np.eye(len(codes))

    assert 2 <= len(codes) <= 4 and overlaps.max() < 0.75
    assert proposals.quality.tolist() == sorted(proposals.quality.tolist(), reverse=True)


@pytest.mark.parametrize("shape", [(1, 1), (30, 40), (3, 700), (500, 500)])
def test_an_even_image_has_no_proposals(shape):
    assert len(propose(Image.from_pixels(np.full((*shape, 3), 60, np.uint8)))) == 0


def test_the_same_image_has_the_same_proposals(things):
    one, two = propose(things), propose(things)

    assert [m.tobytes() for m in one.masks] == [m.tobytes() for m in two.masks]


def test_a_small_hole_is_filled_and_a_large_one_is_not():
    labels = np.zeros((20, 20), np.int32)
    labels[5:15, 5:15], labels[9, 9] = 1, 2
    segments = describe_segments(np.zeros((20, 20, 3), np.uint8), labels)

    assert fill_holes(segments, np.array([True, False, False]), 0.05).tolist() == [True, False, False]
    assert fill_holes(segments, np.array([False, True, False]), 0.05).tolist() == [False, True, True]


def test_the_regions_of_a_scene_are_unpacked_as_they_were(tree):
    assert np.array_equal(unpack_regions(np.packbits(tree.regions, 1), len(tree.segments)), tree.regions)
