import numpy as np

from ris.pretrained.masks.settings import GroupingSettings
from ris.pretrained.regions.grouping import OutlineWeights, find_members, group_segments, join_by_outline
from ris.pretrained.regions.segments import describe_segments, find_segments


def test_the_members_of_a_node_are_those_of_the_two_it_joins():
    assert find_members([(0, 2), (3, 1)], 3).tolist() == [
        [True, False, False], [False, True, False], [False, False, True],
        [True, False, True], [True, True, True],
    ]  # fmt: skip


def test_the_neighbours_with_the_weakest_outline_are_joined_first():
    pixels = np.zeros((10, 30, 3), np.uint8)
    pixels[:, 10:20], pixels[:, 20:] = 10, 200
    labels = np.repeat(np.arange(3, dtype=np.int32), 10)[None].repeat(10, 0)

    steps = join_by_outline(describe_segments(pixels, labels), OutlineWeights(0.5, 0.3, 0.5))

    assert set(steps[0]) == {0, 1} and set(steps[1]) == {2, 3}


def test_every_region_is_there_once_and_the_whole_image_among_them(tree):
    assert len({row.tobytes() for row in tree.regions}) == len(tree.regions)
    assert tree.regions.all(1).sum() == 1
    assert tree.regions.any(1).all()


def test_an_even_image_is_one_region():
    pixels = np.full((20, 20, 3), 7, np.uint8)

    assert group_segments(describe_segments(pixels, find_segments(pixels, GroupingSettings()))).tolist() == [
        [True]
    ]


def test_the_same_image_is_grouped_the_same_way(tree):
    assert np.array_equal(group_segments(tree.segments), tree.regions)
