import numpy as np

from ris.pretrained.regions.objectness import (
    compute_region_overlaps,
    find_boxes,
    measure_cues,
    select_regions,
    to_quality,
)


def members_of(tree, mask):
    return np.bincount(tree.segments.labels.ravel(), mask.ravel(), minlength=len(tree.segments)) > (
        tree.segments.areas / 2
    )


def test_a_whole_thing_has_more_objectness_than_a_thing_with_half_the_ground(tree, mask_named):
    whole = members_of(tree, mask_named("red"))
    rest = members_of(tree, ~mask_named("blue", "white"))

    score = measure_cues(tree.segments, np.stack([whole, rest])).score

    assert score[0] > score[1]


def test_the_cues_of_a_square_in_the_middle_are_those_of_a_square(tree, mask_named):
    cues = measure_cues(tree.segments, members_of(tree, mask_named("red"))[None])

    assert cues.fill[0] > 0.9 and cues.sides[0] == 0 and 0.7 < cues.compactness[0] <= 1
    assert cues.areas[0] == np.count_nonzero(members_of(tree, mask_named("red"))[tree.segments.labels])


def test_the_box_of_a_region_is_that_of_its_pixels(tree, mask_named):
    region = members_of(tree, mask_named("red", "blue"))
    rows, columns = np.nonzero(region[tree.segments.labels])

    assert find_boxes(tree.segments, region[None]).tolist() == [
        [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    ]


def test_overlaps_of_regions_are_those_of_their_pixels(tree, mask_named):
    regions = np.stack([members_of(tree, mask_named("red")), members_of(tree, mask_named("red", "blue"))])
    one, two = (r[tree.segments.labels] for r in regions)

    found = compute_region_overlaps(tree.segments, regions)

    assert np.isclose(found[0, 1], (one & two).sum() / (one | two).sum()) and np.allclose(np.diag(found), 1)


def test_of_two_like_regions_the_better_is_selected():
    overlaps = np.array([[1, 0.9, 0.1], [0.9, 1, 0.1], [0.1, 0.1, 1]], np.float32)

    assert select_regions(np.array([1.0, 2.0, 0.5]), overlaps, number=9, same_iou=0.75) == [1, 2]
    assert select_regions(np.array([1.0, 2.0, 0.5]), overlaps, number=1, same_iou=0.75) == [1]


def test_quality_rises_with_the_score_and_is_a_share():
    quality = to_quality(np.linspace(-5, 5, 20))

    assert (np.diff(quality) > 0).all() and quality.min() >= 0 and quality.max() <= 1
