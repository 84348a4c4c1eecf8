import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ris.core import rle
from ris.errors import BackendError, InputError, RegionError
from ris.label_config import read
from ris.labelstudio.config.control import read_controls
from ris.labelstudio.context import read_context
from ris.labelstudio.masks import brush
from ris.labelstudio.masks.rectangle import rotate_offsets
from tests.builders.masks import rectangle

PICK = read_controls(read("pick_brush.xml"))
SIZE = (240, 320)
SHOWN = {"original_width": 320, "original_height": 240, "to_name": "image", "id": "x", "origin": "manual"}


def click(x, y, positive=True, label="2nd"):
    value = {"x": x, "y": y, "width": 0.24, "labels": [label], "keypointlabels": [label]}
    return {**SHOWN, "type": "keypointlabels", "is_positive": positive, "value": value}


def box(x, y, width, height):
    value = {"x": x, "y": y, "width": width, "height": height, "rotation": 0, "rectanglelabels": ["1st"]}
    return {**SHOWN, "type": "rectanglelabels", "value": value}


def words(*lines):
    return {**SHOWN, "type": "textarea", "from_name": "words", "value": {"text": list(lines)}}


def context(*regions):
    return read_context({"result": list(regions)}, PICK)


def test_clicks_are_points_in_pixels_on_or_beside_what_is_meant():
    found = context(click(25, 50), click(10, 10, positive=False))

    assert found.prompts.size == SIZE
    assert found.prompts.points.tolist() == [[80, 120], [32, 24]]
    assert found.prompts.positive.tolist() == [True, False]
    assert (found.prompts.box, found.prompts.mask, found.expression, found.label) == (None, None, "", "2nd")


def test_a_rectangle_is_a_box_in_pixels():
    found = context(box(25, 50, 10, 20))

    assert found.prompts.box == (80, 120, 112, 168)
    assert found.label == "1st"


def test_a_stroke_of_the_smart_brush_is_a_mask_and_its_box():
    stroke = rectangle(SIZE, 10, 20, 60, 50)
    value = {"format": "rle", "rle": brush.encode_brush(stroke), "brushlabels": ["3rd"]}

    found = context({**SHOWN, "type": "brushlabels", "value": value})

    assert (rle.decode_rle(found.prompts.mask) == stroke).all()
    assert found.prompts.box == (10, 20, 60, 50)
    assert found.label == "3rd"


def test_typed_words_are_the_last_line_that_says_something():
    found = context(words("the dog", " the left cup ", ""))

    assert (found.expression, found.prompts) == ("the left cup", None)


def test_a_label_that_the_mask_control_does_not_have_is_none():
    assert context(click(1, 1, label="Something")).label == ""


@pytest.mark.parametrize(
    ("given", "error", "pattern"),
    [
        ({"result": []}, InputError, "needs a click, a box, a brush stroke"),
        ({"result": [words("")]}, InputError, "needs a click, a box, a brush stroke"),
        ({}, InputError, "needs a list of regions, got NoneType"),
        ({"result": [{"type": "keypoint"}]}, RegionError, "has no usable size"),
        ({"result": [{**SHOWN, "type": "keypoint"}]}, RegionError, "has no value"),
        ({"result": [click("a", 1)]}, RegionError, "needs x in percent, got 'a'"),
        ({"result": [click(float("nan"), 1)]}, RegionError, "needs x in percent"),
        (
            {"result": [{**click(1, 1), "original_width": 10**6, "original_height": 10**6}]},
            RegionError,
            "pixels are the limit",
        ),
    ],
)
def test_what_says_nothing_is_refused_with_a_sentence(given, error, pattern):
    with pytest.raises(error, match=pattern):
        read_context(given, PICK)


def test_a_turned_box_is_the_upright_box_around_it():
    upright = {"x": 10, "y": 20, "width": 30, "height": 20, "rotation": 0}  # 96 x 48 pixels
    # The same pixels, drawn from the corner at the top right and turned by a right angle.
    on_its_side = {"x": 40, "y": 20, "width": 15, "height": 40, "rotation": 90}

    boxes = [
        context({**SHOWN, "type": "rectangle", "value": value}).prompts.box
        for value in (upright, on_its_side)
    ]

    assert boxes[0] == pytest.approx(boxes[1])


@given(st.floats(-720, 720), st.floats(1, 60), st.floats(1, 60))
def test_a_turned_box_holds_all_its_corners_and_touches_them(rotation, width, height):
    value = {"x": 30, "y": 40, "width": width, "height": height, "rotation": rotation}
    x1, y1, x2, y2 = context({**SHOWN, "type": "rectangle", "value": value}).prompts.box
    corners = rotate_offsets(value, np.array([[0, 0], [width, 0], [width, height], [0, height]]), SIZE)
    x, y = np.array(corners).T * np.array([[SIZE[1]], [SIZE[0]]]) / 100

    assert (x1, x2) == pytest.approx((x.min(), x.max()))
    assert (y1, y2) == pytest.approx((y.min(), y.max()))


def test_a_size_in_whole_floats_is_a_size_and_none_is_the_one_on_record():
    whole = {**click(50, 50), "original_width": float(SIZE[1]), "original_height": float(SIZE[0])}
    without = click(50, 50) | {"original_width": None, "original_height": None}

    assert context(whole).prompts.size == SIZE
    assert read_context({"result": [without]}, PICK, SIZE).prompts.size == SIZE


def test_a_click_on_a_picture_of_another_size_is_refused_with_both_sizes():
    with pytest.raises(RegionError, match=r"picture of \d+ x \d+, and the task's picture has 9 x 8"):
        read_context({"result": [click(50, 50)]}, PICK, (8, 9))


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "value", "x", "y", "text", "rle", "original_width", "original_height", "id"]
            ),
            inner,
        )
    ),
    max_leaves=12,
)


@given(st.lists(ANYTHING, max_size=3), st.sampled_from(["keypoint", "rectangle", "brush", "textarea"]))
def test_whatever_comes_is_read_or_refused_on_purpose(regions, kind):
    regions = [{**region, "type": kind} if isinstance(region, dict) else region for region in regions]
    try:
        found = read_context({"result": regions}, PICK)
    except BackendError:
        return
    assert found.expression or found.prompts is not None
    assert np.isfinite(found.prompts.points).all() if found.prompts else True


def test_what_was_drawn_on_another_picture_or_typed_elsewhere_is_not_asked():
    beside = click(25, 50) | {"to_name": "reference"}
    comment = words("blurred") | {"from_name": "comment"}
    typing = read_controls(read("type_brush.xml"))

    assert len(context(click(25, 50), beside).prompts.points) == 1
    with pytest.raises(InputError, match="needs a click"):
        context(beside)
    typed = words("the owl") | {"from_name": typing.expression_area}
    assert read_context({"result": [typed, comment]}, typing).expression == "the owl"
    with pytest.raises(InputError, match="needs a click"):
        read_context({"result": [comment]}, typing)
