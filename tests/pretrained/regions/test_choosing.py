import numpy as np
import pytest

from ris.core.masks import compute_iou
from ris.pretrained.regions.choosing import (
    Click,
    choose_in_box,
    choose_under_mask,
    compute_box_overlaps,
    find_stroke_clicks,
    follow_clicks,
    measure_centrality,
)

RED, BLUE, WHITE, GROUND = (30, 40), (90, 40), (60, 40), (60, 70)


def click(place, positive=True):
    return Click(*place, positive)


def iou(tree, region, mask):
    return compute_iou(region[tree.segments.labels], mask)


@pytest.mark.parametrize(("place", "name"), [(RED, "red"), (BLUE, "blue"), (WHITE, "white")])
def test_a_click_in_the_middle_of_a_thing_means_the_thing(tree, mask_named, place, name):
    assert iou(tree, follow_clicks(tree, None, [click(place)]), mask_named(name)) > 0.9


def test_a_second_click_adds_what_it_is_in_the_middle_of(tree, mask_named):
    region = follow_clicks(tree, None, [click(RED), click(BLUE)])

    assert iou(tree, region, mask_named("red", "blue")) > 0.9


def test_a_negative_click_removes_the_thing_and_leaves_the_one_with_a_positive_click(tree, mask_named):
    clicks = [click(RED), click(BLUE), click(BLUE, positive=False)]
    start = choose_under_mask(tree, mask_named("red", "blue"))

    assert iou(tree, follow_clicks(tree, start, [click(BLUE, positive=False)]), mask_named("red")) > 0.9
    assert iou(tree, follow_clicks(tree, None, clicks), mask_named("red", "blue")) > 0.9  # of one segment


def test_a_negative_click_first_keeps_the_positive_one_away(tree, mask_named):
    region = follow_clicks(tree, None, [click(GROUND, positive=False), click(RED)])

    assert not region[tree.segments.labels[70, 60]] and region[tree.segments.labels[40, 30]]


def test_negative_clicks_alone_mean_nothing(tree):
    assert follow_clicks(tree, None, [click(RED, positive=False)]) is None
    assert follow_clicks(tree, None, []) is None


def test_a_box_means_what_fills_it(tree, mask_named):
    assert iou(tree, choose_in_box(tree, (10, 20, 50, 60)), mask_named("red")) > 0.9
    assert iou(tree, choose_in_box(tree, (10, 20, 110, 60)), mask_named("red", "white", "blue")) > 0.9


def test_a_mask_means_what_is_like_it(tree, mask_named):
    assert iou(tree, choose_under_mask(tree, mask_named("blue")), mask_named("blue")) > 0.9


def test_a_line_is_clicks_along_it_and_a_filled_area_is_none(tree, mask_named):
    line = np.zeros((80, 120), np.bool_)
    line[39:42, 20:100] = True

    found = follow_clicks(tree, None, find_stroke_clicks(tree, line))

    assert iou(tree, found, mask_named("red", "white", "blue")) > 0.9
    assert find_stroke_clicks(tree, mask_named("red")) == []


def test_the_middle_is_more_central_than_the_rim(tree, mask_named):
    region = follow_clicks(tree, None, [click(RED)])[None]

    middle, rim = (measure_centrality(tree.segments, region, click(p))[0] for p in (RED, (13, 23)))

    assert rim < 0.3 and middle > 0.9
    assert measure_centrality(tree.segments, np.ones_like(region), click(RED)).tolist() == [1.0]


def test_box_overlaps_are_ious():
    boxes = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [50, 50, 60, 60]])

    assert compute_box_overlaps(boxes, (0, 0, 10, 10)).tolist() == [1.0, pytest.approx(1 / 3), 0.0]
