import base64
import io

import numpy as np
import pytest
from PIL import Image as Pillow

from backend.core import rle
from backend.errors import RegionError
from backend.labelstudio import brush
from backend.labelstudio.result import read_mask
from tests.build import rectangle

SIZE = (40, 60)


def region(kind, value, name="r1", size=SIZE):
    return {"id": name, "type": kind, "original_height": size[0], "original_width": size[1], "value": value}


def painted(mask, name="r1"):
    return region(
        "brushlabels", {"format": "rle", "rle": brush.encode(mask), "brushlabels": ["It"]}, name, mask.shape
    )


def png(alpha):
    pixels = np.zeros((*alpha.shape, 4), np.uint8)
    pixels[..., 3] = alpha
    file = io.BytesIO()
    Pillow.fromarray(pixels).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def test_two_masks_are_their_union_and_both_ids_are_told():
    a, b = rectangle(SIZE, 0, 0, 10, 10), rectangle(SIZE, 5, 5, 30, 30)

    mask, ids = read_mask([painted(a, "ours"), painted(b, "drawn")])

    assert (rle.decode(mask) == (a | b)).all()
    assert ids == ("ours", "drawn")


def test_choices_and_clicks_are_no_masks():
    others = [
        {"id": "c", "type": "choices", "value": {"choices": ["none"]}},
        {"type": "keypointlabels"},
        "nonsense",
    ]

    assert read_mask(others) == (None, ())
    assert read_mask([]) == (None, ())


def test_a_rectangle_covers_its_pixels():
    value = {"x": 25, "y": 50, "width": 50, "height": 25, "rotation": 0}

    mask, _ = read_mask([region("rectanglelabels", value)])

    assert (rle.decode(mask) == rectangle(SIZE, 15, 20, 45, 30)).mean() > 0.98


def test_a_turned_rectangle_is_turned_clockwise_about_its_corner():
    value = {"x": 50, "y": 10, "width": 30, "height": 10, "rotation": 90}

    mask = rle.decode(read_mask([region("rectanglelabels", value)])[0])

    assert (mask == rectangle(SIZE, 26, 4, 30, 22)).mean() > 0.97


def test_an_ellipse_has_the_area_of_an_ellipse():
    mask, _ = read_mask(
        [region("ellipselabels", {"x": 50, "y": 50, "radiusX": 20, "radiusY": 30, "rotation": 0})]
    )

    assert mask.area_px == pytest.approx(np.pi * 12 * 12, rel=0.08)


def test_a_bitmask_is_where_it_is_not_see_through():
    alpha = np.where(rectangle(SIZE, 3, 4, 20, 22), 200, 90).astype(np.uint8)

    mask, _ = read_mask([region("bitmasklabels", {"imageDataURL": png(alpha)})])

    assert (rle.decode(mask) == rectangle(SIZE, 3, 4, 20, 22)).all()


@pytest.mark.parametrize(
    ("regions", "message"),
    [
        ({"not": "a list"}, "must be a list of regions, got dict"),
        ([painted(np.ones((4, 4), np.bool_)), painted(np.ones((4, 5), np.bool_))], "must have one size"),
        ([region("brushlabels", {"rle": [1, 2]})], "at least 7 bytes"),
        ([region("brushlabels", {})], "cannot be read"),
        ([region("brushlabels", None)], "has no value"),
        ([region("brushlabels", {"format": "png", "rle": []})], "format 'png' is not known"),
        ([region("polygonlabels", {"points": [[1, "x"], [2, 3]]})], "cannot be read"),
        ([region("rectanglelabels", {"x": 1})], "cannot be read"),
        ([region("bitmasklabels", {"imageDataURL": "data:image/png;base64,AAAA"})], "is no PNG"),
        (
            [region("bitmasklabels", {"imageDataURL": png(np.zeros((5, 5), np.uint8))})],
            r"its picture is \(5, 5\)",
        ),
        ([region("brushlabels", {"rle": []}, size=(10**9, 10**9))], "pixels are the limit"),
        ([region("brushlabels", {"rle": []}, size=(0, 5))], "says no size"),
        ([region("brushlabels", {"rle": []}, size=("40", None))], "says no size"),
    ],
)
def test_a_region_that_cannot_be_read_is_one_sentence(regions, message):
    with pytest.raises(RegionError, match=message):
        read_mask(regions)


@pytest.mark.parametrize("points", [[[0, 0], [1e9, 1e9], [-1e9, 5]], [[5, 5], [6, 6]], []])
def test_odd_polygons_do_not_crash(points):
    mask, _ = read_mask([region("polygonlabels", {"points": points})])

    assert mask.size == SIZE
