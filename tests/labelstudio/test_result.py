import base64
import io

import numpy as np
import pytest
from PIL import Image as Pillow

from ris.core import rle
from ris.errors import EmptyMaskError, FrameError, RegionError, RegionKindError
from ris.label_config import read
from ris.labelstudio.config.control import read_controls
from ris.labelstudio.masks import brush
from ris.labelstudio.result import NON_DRAWING_TYPES, read_mask, select_drawn_regions
from tests.builders.masks import rectangle

SIZE = (40, 60)
TABS = read_controls(read("tabs_brush.xml"))


def region(kind, value, name="r1", size=SIZE):
    return {"id": name, "type": kind, "original_height": size[0], "original_width": size[1], "value": value}


def paint(mask, name="r1"):
    return region(
        "brushlabels",
        {"format": "rle", "rle": brush.encode_brush(mask), "brushlabels": ["It"]},
        name,
        mask.shape,
    )


def png(alpha):
    pixels = np.zeros((*alpha.shape, 4), np.uint8)
    pixels[..., 3] = alpha
    file = io.BytesIO()
    Pillow.fromarray(pixels).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def test_two_masks_are_their_union_and_both_ids_are_told():
    a, b = rectangle(SIZE, 0, 0, 10, 10), rectangle(SIZE, 5, 5, 30, 30)

    mask, ids = read_mask([paint(a, "ours"), paint(b, "drawn")])

    assert (rle.decode_rle(mask) == (a | b)).all()
    assert ids == ("ours", "drawn")


def drawn(*regions):
    return [region.get("id") for region in select_drawn_regions(list(regions), TABS)]


def test_no_regions_are_no_mask():
    assert read_mask([]) == (None, ())


@pytest.mark.parametrize("kind", sorted(NON_DRAWING_TYPES))
def test_what_is_said_beside_the_image_is_not_drawn_on_it(kind):
    assert drawn({"id": "a", "type": kind, "to_name": "image"}) == []


def test_whatever_has_another_type_is_drawn():
    assert drawn({"id": "a", "type": "vectorlabels"}, {"id": "b", "type": "new to us"}) == ["a", "b"]


def test_the_label_of_a_shape_is_not_drawn_and_a_label_without_one_is():
    shape, label = {"id": "a", "type": "rectangle"}, {"type": "labels", "value": {"labels": ["It"]}}

    assert drawn(shape, {**label, "id": "a"}) == ["a"]
    assert drawn(shape, {**label, "id": "b"}) == ["a", "b"]


TEXT = '<Text name="said" value="$expression"'


def test_what_lies_on_another_thing_that_is_shown_is_not_on_the_image():
    config = (
        read("tabs_brush.xml").replace("<Header value=", '<Text name="said" value=').replace('size="3"', "")
    )

    found = select_drawn_regions([{"id": "a", "type": "labels", "to_name": "said"}], read_controls(config))

    assert found == []


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("text", "entry 0 of the result must be an object, got str"),
        (None, "entry 0 of the result must be an object, got NoneType"),
        ({}, "entry 0 of the result needs a type"),
        ({"type": 3}, "entry 0 of the result needs a type"),
        (
            {"type": "brushlabels", "to_name": "img"},
            "is drawn on 'img', which the label config does not show",
        ),
    ],
)
def test_an_entry_that_is_no_region_of_ours_is_one_sentence(entry, message):
    with pytest.raises(RegionError, match=message):
        select_drawn_regions([entry], TABS)


@pytest.mark.parametrize("kind", ["vectorlabels", "magicwand", "cuboid", "videorectangle", "new to us"])
def test_a_kind_that_gives_no_mask_is_refused_alone_and_beside_a_mask(kind):
    odd = region(kind, {"x": 1})

    for regions in ([odd], [paint(rectangle(SIZE, 0, 0, 10, 10)), odd]):
        with pytest.raises(RegionKindError, match=f"of type '{kind}', and no mask can be made of it"):
            read_mask(regions)


def test_points_beside_a_mask_are_passed_over_and_alone_are_no_answer():
    mask = paint(rectangle(SIZE, 0, 0, 10, 10))

    assert read_mask([{"type": "keypointlabels", "id": "k"}, mask])[1] == ("r1",)
    with pytest.raises(RegionKindError, match="only points were drawn"):
        read_mask([{"type": "keypointlabels", "id": "k"}])


NOWHERE = {
    "outside": ("rectanglelabels", {"x": 120, "y": 10, "width": 20, "height": 20}),
    "on a seam": ("rectanglelabels", {"x": 50.1, "y": 50.1, "width": 0.1, "height": 0.1}),
    "two points": ("polygonlabels", {"points": [[5, 5], [60, 60]]}),
    "no points": ("polygonlabels", {"points": []}),
    "no radius": ("ellipselabels", {"x": -50, "y": 5, "radiusX": 0, "radiusY": 0}),
}


@pytest.mark.parametrize("name", NOWHERE)
def test_what_was_drawn_and_covers_no_pixel_is_no_answer(name):
    with pytest.raises(EmptyMaskError, match="region 'r1' covers no pixel"):
        read_mask([region(*NOWHERE[name])])


def test_a_brush_that_was_wholly_erased_is_no_answer_alone_and_adds_nothing_beside_another():
    erased, mask = (
        paint(np.zeros(SIZE, np.bool_), "erased"),
        paint(rectangle(SIZE, 0, 0, 10, 10), "drawn"),
    )

    with pytest.raises(EmptyMaskError):
        read_mask([erased])
    assert read_mask([erased, mask])[1] == ("drawn",)


def test_a_size_in_whole_floats_is_a_size():
    value = {"x": 0, "y": 0, "width": 50, "height": 50}

    mask, _ = read_mask([region("rectanglelabels", value, size=(40.0, 60.0))])

    assert mask.size == (40, 60)


def test_a_missing_size_is_the_one_on_record():
    bare = region("rectanglelabels", {"x": 0, "y": 0, "width": 50, "height": 50}, size=(None, None))

    assert read_mask([bare], SIZE)[0].area_px == 20 * 30


@pytest.mark.parametrize("size", [(1, 1), (60, 40), (40, 61), (80, 120)])
def test_a_frame_that_is_not_the_pictures_is_refused_with_both_sizes(size):
    value = {"x": 0, "y": 0, "width": 50, "height": 50}

    with pytest.raises(FrameError, match=f"picture of {size[1]} x {size[0]}, and the task's .* has 60 x 40"):
        read_mask([region("rectanglelabels", value, size=size)], SIZE)


def test_a_frame_of_one_pixel_is_a_picture_that_was_not_loaded():
    with pytest.raises(FrameError, match="1 x 1, which Label Studio writes while a picture is not loaded"):
        read_mask([region("rectanglelabels", {"x": 0, "y": 0, "width": 100, "height": 100}, size=(1, 1))])


def test_a_picture_that_was_turned_in_the_editor_is_refused():
    turned = region("rectanglelabels", {"x": 0, "y": 0, "width": 50, "height": 50}) | {"image_rotation": 90}

    with pytest.raises(RegionError, match="turned by 90 degrees: turn the picture back"):
        read_mask([turned])


def test_a_rectangle_covers_its_pixels():
    value = {"x": 25, "y": 50, "width": 50, "height": 25, "rotation": 0}

    mask, _ = read_mask([region("rectanglelabels", value)])

    assert (rle.decode_rle(mask) == rectangle(SIZE, 15, 20, 45, 30)).mean() > 0.98


def test_a_turned_rectangle_is_turned_clockwise_about_its_corner():
    value = {"x": 50, "y": 10, "width": 30, "height": 10, "rotation": 90}

    mask = rle.decode_rle(read_mask([region("rectanglelabels", value)])[0])

    assert (mask == rectangle(SIZE, 26, 4, 30, 22)).mean() > 0.97


def test_an_ellipse_has_the_area_of_an_ellipse():
    mask, _ = read_mask(
        [region("ellipselabels", {"x": 50, "y": 50, "radiusX": 20, "radiusY": 30, "rotation": 0})]
    )

    assert mask.area_px == pytest.approx(np.pi * 12 * 12, rel=0.08)


def test_a_bitmask_is_where_it_is_not_see_through():
    alpha = np.where(rectangle(SIZE, 3, 4, 20, 22), 200, 90).astype(np.uint8)

    mask, _ = read_mask([region("bitmasklabels", {"imageDataURL": png(alpha)})])

    assert (rle.decode_rle(mask) == rectangle(SIZE, 3, 4, 20, 22)).all()


@pytest.mark.parametrize(
    ("regions", "message"),
    [
        ({"not": "a list"}, "must be a list of regions, got dict"),
        ([paint(np.ones((4, 4), np.bool_)), paint(np.ones((4, 5), np.bool_))], "must have one size"),
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
        ([region("rectanglelabels", {"x": 50, "y": 1, "width": -9, "height": 9})], "must not be negative"),
        ([region("ellipselabels", {"x": 50, "y": 1, "radiusX": 1, "radiusY": -9})], "must not be negative"),
        ([region("rectanglelabels", {"x": float("nan"), "y": 1, "width": 9, "height": 9})], "got nan"),
        ([region("rectanglelabels", {"x": True, "y": 1, "width": 9, "height": 9})], "got True"),
        ([region("polygonlabels", {"points": [[1, 2], [3, float("inf")], [5, 6]]})], "got inf"),
        ([region("polygonlabels", {"points": [[1, 2]], "closed": False})], "outline is not closed"),
        ([region("brushlabels", {"rle": []}, size=(10**9, 10**9))], "pixels are the limit"),
        ([region("brushlabels", {"rle": []}, size=(40.5, 60))], "has no usable size"),
        ([region("brushlabels", {"rle": []}, size=(0, 5))], "has no usable size"),
        ([region("brushlabels", {"rle": []}, size=("40", None))], "has no usable size"),
    ],
)
def test_a_region_that_cannot_be_read_is_one_sentence(regions, message):
    with pytest.raises(RegionError, match=message):
        read_mask(regions)


@pytest.mark.parametrize("points", [[[0, 0], [1e9, 1e9], [-1e9, 5]], [[0, 0], [9, 0], [9, 9], [0, 0]]])
def test_odd_polygons_do_not_crash(points):
    mask, _ = read_mask([region("polygonlabels", {"points": points})])

    assert mask.size == SIZE
