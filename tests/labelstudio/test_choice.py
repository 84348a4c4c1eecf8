"""What is meant of all that lies on the image, by the annotator's choice."""

import pytest

from backend.errors import RegionError
from backend.labelstudio.choice import meant
from backend.labelstudio.control import read_controls
from label_config import read

PICK, TABS = read_controls(read("pick_brush.xml")), read_controls(read("tabs_brush.xml"))


def mask(label, name="risabc-0", origin="prediction", kind="brushlabels"):
    return {"id": name, "type": kind, "origin": origin, "value": {kind: [label], "rle": []}}


def choice(value, name="pick"):
    return {"id": "c", "type": "choices", "from_name": name, "value": {"choices": [value]}}


OFFERED = [mask("3rd", "risabc-2"), mask("2nd", "risabc-1"), mask("1st", "risabc-0")]


@pytest.mark.parametrize(("rank", "name"), [("1st", "risabc-0"), ("2nd", "risabc-1"), ("3rd", "risabc-2")])
def test_the_mask_of_the_chosen_rank_is_meant_and_the_others_are_not(rank, name):
    assert [r["id"] for r in meant([*OFFERED, choice(rank)], PICK)] == [name]


def test_what_was_painted_under_the_chosen_rank_belongs_to_it():
    more = mask("2nd", "new", "manual")

    assert [r["id"] for r in meant([*OFFERED, more, choice("2nd")], PICK)] == ["risabc-1", "new"]


def test_what_one_drew_oneself_is_all_that_is_new_or_changed():
    new, changed = mask("1st", "xyz", "manual"), mask("3rd", "risabc-2", "prediction-changed")

    found = meant([changed, *OFFERED[1:], new, choice("drew it myself")], PICK)

    assert found == [changed, new]


@pytest.mark.parametrize("controls", [PICK, TABS], ids=["pick", "tabs"])
def test_no_such_thing_means_no_mask_whatever_lies_on_the_image(controls):
    said = choice("no such thing", controls.no_referent.from_name)

    assert meant([*OFFERED, said], controls) == []


def test_without_a_choice_everything_is_meant():
    assert meant(OFFERED, PICK) == OFFERED
    assert meant(OFFERED, TABS) == OFFERED
    assert meant([], PICK) == []


def test_a_choice_of_another_tag_is_not_ours():
    assert meant([*OFFERED, choice("2nd", "weather")], PICK) == [*OFFERED, choice("2nd", "weather")]


def test_a_rank_without_a_mask_is_told():
    with pytest.raises(RegionError, match="'2nd' was chosen and no mask has that label"):
        meant([OFFERED[0], choice("2nd")], PICK)


def test_drawn_and_nothing_there_is_told():
    with pytest.raises(RegionError, match="'drew it myself' was chosen and nothing was drawn"):
        meant([*OFFERED, choice("drew it myself")], PICK)


@pytest.mark.parametrize("result", [None, {}, "x", 3])
def test_a_result_that_is_no_list_is_told(result):
    with pytest.raises(RegionError, match="must be a list of regions"):
        meant(result, PICK)


@pytest.mark.parametrize(
    "odd", [None, 3, {}, {"type": "choices", "from_name": "pick"},
            {"type": "choices", "from_name": "pick", "value": {"choices": "2nd"}}],
)  # fmt: skip
def test_odd_regions_are_no_choice(odd):
    assert meant([odd], PICK) == [odd]
