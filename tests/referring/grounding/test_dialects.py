import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ris.errors import GroundingError
from ris.referring.grounding.dialects import DIALECTS, MAX_THINGS, read_grounding
from tests.builders.vlm_answers import FAMILIES, POINT_FAMILIES, fence, write_answer

SENT, DISPLAYED = (448, 672), (1000, 2000)
BOX = (0.25, 0.125, 0.5, 0.75)
TRUE_BOX = (500, 125, 1000, 750)
SIDES = st.tuples(st.integers(112, 2000), st.integers(112, 2000))


def read(text, family="qwen3-vl", sent=SENT, displayed=DISPLAYED):
    return read_grounding(text, DIALECTS[family], sent=sent, displayed=displayed)


def boxes_of(text, family="qwen3-vl"):
    return [tuple(round(side) for side in thing.box) for thing in read(text, family).things]


def shares():
    side = st.tuples(st.floats(0, 0.9), st.floats(0.05, 0.5)).map(lambda p: (p[0], min(1.0, p[0] + p[1])))
    return st.tuples(side, side).map(lambda p: (p[0][0], p[1][0], p[0][1], p[1][1]))


def test_every_family_has_a_dialect_of_its_own():
    assert tuple(DIALECTS) == FAMILIES


@pytest.mark.parametrize("family", FAMILIES)
@given(boxes=st.lists(shares(), min_size=1, max_size=4), sent=SIDES, displayed=SIDES)
@settings(max_examples=60, deadline=None)
def test_what_a_family_writes_is_read_in_pixels_of_the_image_as_displayed(family, boxes, sent, displayed):
    found = read(write_answer(family, boxes, sent), family, sent, displayed).things

    # a number is rounded to 1/1000, 1/840, 1/100 or a pixel of at least 112
    step = {"qwen2.5-vl": 1 / 112, "plain-json": 1 / min(sent), "molmo": 1 / 1000}.get(family, 1 / 500)
    height, width = displayed
    for box in boxes:
        true = [side * (width, height)[i % 2] for i, side in enumerate(box)]
        centre = ((true[0] + true[2]) / 2, (true[1] + true[3]) / 2)
        assert any(is_near(thing, true, centre, (step * width, step * height)) for thing in found)


def is_near(thing, true, centre, tolerance):
    if thing.box:
        written = thing.box
    elif thing.polygons:
        columns, rows = zip(*thing.polygons[0], strict=True)
        written = (min(columns), min(rows), max(columns), max(rows))
    else:
        return all(abs(a - b) <= t for a, b, t in zip(thing.points[0], centre, tolerance, strict=True))
    return all(abs(a - b) <= tolerance[i % 2] for i, (a, b) in enumerate(zip(written, true, strict=True)))


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_can_say_that_there_is_no_such_thing(family):
    assert read(write_answer(family, [], SENT), family).things == ()


@pytest.mark.parametrize("family", FAMILIES)
@given(cut=st.floats(0, 1))
@settings(deadline=None)
def test_an_answer_that_was_cut_gives_only_whole_boxes_or_our_error(family, cut):
    whole = write_answer(family, [BOX, (0.6, 0.6, 0.7, 0.7)], SENT)
    complete = {thing.box or thing.points for thing in read(whole, family).things}
    try:
        found = read(whole[: int(cut * len(whole))], family)
    except GroundingError:
        return
    if family != "florence-2":  # a polygon of fewer corners is one as well
        assert found.things
        assert all((t.box or t.points) in complete or t.points for t in found.things)


@pytest.mark.parametrize("family", FAMILIES)
@given(text=st.text(max_size=300))
@settings(deadline=None)
def test_any_text_gives_an_answer_or_our_error(family, text):
    check_any(text, family)


PIECES = (
    "[", "]", "{", "}", ",", ":", '"', "'", "\\", "bbox_2d", '"bbox_2d":', '"point_2d":', "1e999", "-5",
    "NaN", "Infinity", "12", "0.5", "1000", "99999999", "null", "<box>", "</box>", '<point x="', "<loc_5>",
    "<loc0005>", "<seg001>", '<points coords="1 1 ', "<answer>", "</answer>", "</think>", "none", "```",
    "json", " ", "\n", "\u0661", "x1", '{"x":',
)  # fmt: skip


@pytest.mark.parametrize("family", FAMILIES)
@given(pieces=st.lists(st.sampled_from(PIECES), max_size=60))
@settings(deadline=None)
def test_any_mixture_of_marks_gives_an_answer_or_our_error(family, pieces):
    check_any("".join(pieces), family)


@given(cut=st.integers(0, 400), at=st.integers(0, 400), piece=st.sampled_from(PIECES))
@settings(deadline=None)
@pytest.mark.parametrize("family", FAMILIES)
def test_an_answer_with_a_fault_in_it_gives_an_answer_or_our_error(family, cut, at, piece):
    whole = write_answer(family, [BOX, BOX], SENT)
    check_any(whole[:at] + piece + whole[at:][:cut], family)


def check_any(text, family):
    try:
        found = read(text, family)
    except GroundingError as error:
        assert str(error)
        return
    height, width = DISPLAYED
    for thing in found.things:
        assert thing.box or thing.points or thing.polygons
        if thing.box:
            x1, y1, x2, y2 = thing.box
            assert 0 <= x1 < x2 <= width and 0 <= y1 < y2 <= height
        for x, y in [*thing.points, *(point for outline in thing.polygons for point in outline)]:
            assert 0 <= x <= width and 0 <= y <= height


@pytest.mark.parametrize(
    "text",
    [
        '[{"bbox_2d": [250, 125, 500, 750], "label": "a"}]',
        '{"bbox_2d": [250, 125, 500, 750]}',
        "{'bbox_2d': [250, 125, 500, 750], 'label': \"a dog's bone\"}",
        '{"bbox_2d": ["250", "125", "500", "750"]}',
        '{"bbox_2d": "250, 125, 500, 750"}',
        '{"bbox_2d": ["250, 125, 500, 750"]}',
        '{"bbox_2d": [[250, 125, 500, 750]]}',
        '{"bbox_2d": [[250, 125], [500, 750]]}',
        '{"bbox_2d": [250.0, 1.25e2, 500, 750,]}',
        '{"bbox_2d": {"x1": 250, "y1": 125, "x2": 500, "y2": 750}}',
        '{"xmin": 250, "ymin": 125, "xmax": 500, "ymax": 750}',
        '{"x": 250, "y": 125, "width": 250, "height": 625, "label": "it"}',
        '{"bbox_2d": [500, 750, 250, 125]}',
        '{"bbox_2d": [500, 125, 250, 750]}',
        "[250, 125, 500, 750]",
        "[[250, 125, 500, 750]]",
        "```json\n[{\"bbox_2d\": [250, 125, 500, 750]}]\n```",
        'It is at {"bbox_2d": [250, 125, 500, 750]}, within [0, 1000).',
        'Coordinates lie in [0, 1000].\n{"objects": [{"bbox_2d": [250, 125, 500, 750]}]}',
        '<think>[{"bbox_2d": [1, 2, 3, 4]}]</think>{"bbox_2d": [250, 125, 500, 750]}',
        '[{"bbox_2d": [1, 2, 3, 4]}]</think>{"bbox_2d": [250, 125, 500, 750]}',
        '<answer>{"bbox_2d": [250, 125, 500, 750]}</answer>',
        '[{"bbox_2d": [250, 125, 500, 750]}, {"bbox_2d": [1, 2, 30',
        '[{"bbox_2d": [250, 125, 500, 750], "label": "cut of',
        '[{"bbox_2d": [250, 125, 500, 750]}, {"bbox_2d": [250, 125, 500, 750]}]',
        '{"bbox_2d": [250, 125, 500, 750], "bbox_2d": [250, 125, 500, 750]}',
        '{"bbox_2d": [250, 125, 500, 750], "mask": "data:image/png;base64,iVBO/1+2==", "label": "a"}',
        "<ref>it</ref><box>(250,125),(500,750)</box>",
        "<box>[[250, 125, 500, 750]]</box>",
    ],
)  # fmt: skip
def test_a_box_is_read_however_it_is_written(text):
    assert boxes_of(text) == [TRUE_BOX]


def test_each_thing_of_an_object_with_a_repeated_key_counts():
    assert len(boxes_of('{"bbox_2d": [0, 0, 10, 10], "bbox_2d": [20, 20, 30, 30]}')) == 2


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is empty"),
        ("  \n ", "is empty"),
        ("The red mug stands to the left of the bottle.", "no coordinates"),
        ("There is no doubt that it is the left mug.", "no coordinates"),
        ('[{"bbox_2d": [250, 125, 50', "cut off before"),
        ('[{"bbox_2d": [250, 125, 500, 750', "cut off before"),
        ("<think>I see [250, 125, 500, 750]", "thoughts"),
        ('{"bbox_2d": [250, 125, 500]}', "no coordinates"),
        ('{"bbox_2d": [250, 125, 250, 125]}', "no area"),
        ('{"bbox_2d": [0, 0, 0, 0]}', "no area"),
        ('{"bbox_2d": [1250, 1125, 1500, 1750]}', "outside"),
        ('{"bbox_2d": [-50, -40, -5, -4]}', "outside"),
        ('{"bbox_2d": [250, 125, 1e999, 750]}', "no coordinates"),
        ('{"bbox_2d": [NaN, 125, 500, 750]}', "no coordinates"),
        ('{"bbox_2d": [0, 50, 55, ' + "9" * 5000 + "]}", "no coordinates"),
        ("[245, [234, 543, 542]]", "no coordinates"),
        ('{"box_2d": [250, 125, 500, 750]}', "order of its numbers is not known"),
        ("x" * 50_001, "50001 characters"),
    ],
)
def test_an_answer_that_cannot_be_read_is_said_to_be_so(text, why):
    with pytest.raises(GroundingError, match=why):
        read(text)


def test_the_sentence_of_an_answer_that_cannot_be_read_quotes_nothing_of_it():
    with pytest.raises(GroundingError) as caught:
        read("my password is sesame")

    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["[]", "```json\n[]\n```", "None", "none.", "null", "There are none.",
     "There is no red mug in this image.",
     '{"bbox_2d": []}', '{"bbox_2d": null}', '{"found": false}', "The object is not visible in the picture.",
     "I cannot find it; no such object.", "<answer>[]</answer>"],
)  # fmt: skip
def test_there_is_none_is_an_answer(text):
    assert read(text).things == ()


def test_coordinates_beyond_the_edge_are_clipped_and_it_is_said():
    found = read('{"bbox_2d": [250, 125, 1180, 750]}')

    assert found.things[0].box == (500, 125, 2000, 750)
    assert found.notes == ("coordinates beyond the image's edge were clipped",)


def test_a_point_outside_is_left_out_and_it_is_said():
    found = read('{"bbox_2d": [250, 125, 500, 750], "point_2d": [1250, 300]}')

    assert (found.things[0].points, found.notes) == ((), ("a point lies outside of the image",))


@pytest.mark.parametrize(
    "points",
    ['"point_2d": [300, 200]', '"point_2d": [[300, 200]]', '"points": [{"x": 300, "y": 200}]',
     '"point_2d": "300, 200"'],
)  # fmt: skip
def test_points_stand_beside_their_box(points):
    (thing,) = read('{"bbox_2d": [250, 125, 500, 750], ' + points + "}").things

    assert (thing.box, thing.points) == (TRUE_BOX, ((600, 200),))


def test_a_cut_is_said():
    assert "cut off" in read('[{"bbox_2d": [250, 125, 500, 750]}, {"bbox_2d": [1, 2').notes[0]


def test_gemini_writes_rows_first():
    assert boxes_of('{"box_2d": [125, 250, 750, 500]}', "gemini") == [TRUE_BOX]


def test_named_corners_have_no_order():
    assert boxes_of('{"x1": 250, "y1": 125, "x2": 500, "y2": 750}', "gemini") == [TRUE_BOX]


def test_gemini_refuses_the_names_of_qwen():
    with pytest.raises(GroundingError, match="'bbox_2d'"):
        read('{"bbox_2d": [250, 125, 500, 750]}', "gemini")


def test_one_polygon_of_florence_may_have_parts():
    first = "<loc_0><loc_0><loc_99><loc_0><loc_99><loc_99>"
    (thing,) = read(f"{first}<sep>{first}", "florence-2").things

    assert len(thing.polygons) == 2
    assert thing.polygons[0][0] == (0.5 / 1000 * 2000, 0.5 / 1000 * 1000)


def test_the_segment_codes_of_paligemma_are_left_out():
    codes = "<loc0128><loc0256><loc0768><loc0512>" + "".join(f"<seg{i:03d}>" for i in range(16)) + " mug"

    assert boxes_of(codes, "paligemma") == [TRUE_BOX]


def test_a_polygon_in_json_is_read():
    (thing,) = read('{"polygon": [[0, 0], [500, 0], [500, 500]]}').things

    assert thing.polygons == (((0, 0), (1000, 0), (1000, 500)),)


def test_points_of_molmo_2_count_with_the_image_once_or_for_each():
    once = read('<points coords="1 1 990 800 2 100 200">it</points>', "molmo-2").things
    each = read('<points coords="1 1 990 800;1 2 100 200">it</points>', "molmo-2").things

    assert once == each
    assert [thing.points for thing in once] == [((1980, 800),), ((200, 200),)]


def test_a_loop_of_boxes_is_limited_and_it_is_said():
    found = read(json.dumps([{"bbox_2d": [i, 0, i + 1, 10]} for i in range(500)]))

    assert (len(found.things), found.notes) == (
        MAX_THINGS,
        ("the answer has 500 things; the first 100 are used",),
    )


@pytest.mark.parametrize(
    "mark",
    [
        "[",
        '{"a":',
        '"\\',
        "<box>",
        "<think>",
        '["',
        "<point ",
        "[1,2,3,4]",
        "<loc_1>",
        "'",
        "<answer>",
        "<ref>",
    ],
)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_long_answer_is_read_to_its_end(mark, family):
    check_any(mark * (20_000 // len(mark)), family)


def test_what_is_closed_wrongly_ends_too():
    check_any("[" * 25_000 + "}" * 25_000, "qwen3-vl")


def test_the_expression_cannot_end_its_quotes():
    assert "\"a 'big' dog\"" in DIALECTS["qwen3-vl"].make_prompt('a "big" dog')


def test_a_picture_without_size_is_refused():
    with pytest.raises(GroundingError, match="no frame"):
        read(fence([{"bbox_2d": [1, 2, 3, 4]}]), sent=(0, 5))


def test_point_families_give_points_and_others_boxes_or_polygons():
    for family in FAMILIES:
        (thing,) = read(write_answer(family, [BOX], SENT), family).things
        assert bool(thing.points and not thing.box) == (family in POINT_FAMILIES)
    assert math.isfinite(thing.box[0])


def test_a_schema_names_the_box_as_the_family_does():
    keys = {name: dialect.make_schema() for name, dialect in DIALECTS.items()}

    assert [name for name, schema in keys.items() if schema] == [
        "qwen2.5-vl", "qwen3-vl", "gemini", "plain-json",
    ]  # fmt: skip
    assert keys["gemini"]["items"]["required"] == ["box_2d"]
    assert "bbox_2d" in keys["qwen3-vl"]["items"]["properties"]
