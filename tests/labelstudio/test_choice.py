"""The rule: which regions on the image are meant. test_rule.py has a second implementation of it."""

import pytest

from ris.errors import ChoiceError, EmptyMaskError, RegionError
from ris.label_config import read
from ris.labelstudio.choice import select_meant_regions
from ris.labelstudio.config.control import read_controls

PICK, TABS = read_controls(read("pick_brush.xml")), read_controls(read("tabs_brush.xml"))
SMART = read_controls(read("type_brush.xml"))


def mask(label, name="risabc-0", origin="prediction", kind="brushlabels", from_name="mask"):
    value = {kind: [label], "rle": []}
    return {"id": name, "type": kind, "from_name": from_name, "origin": origin, "value": value}


def choice(*values, name="pick"):
    return {"id": "c", "type": "choices", "from_name": name, "value": {"choices": list(values)}}


def ids(result, controls=PICK):
    return [region["id"] for region in select_meant_regions(result, controls)]


OFFERED = [mask("3rd", "risabc-2"), mask("2nd", "risabc-1"), mask("1st", "risabc-0")]


@pytest.mark.parametrize(("rank", "name"), [("1st", "risabc-0"), ("2nd", "risabc-1"), ("3rd", "risabc-2")])
def test_the_mask_of_the_chosen_rank_is_meant_and_the_others_are_not(rank, name):
    assert ids([*OFFERED, choice(rank)]) == [name]


def test_several_chosen_ranks_are_meant_together():
    assert ids([*OFFERED, choice("1st", "2nd")]) == ["risabc-1", "risabc-0"]
    assert ids([*OFFERED, choice("1st"), choice("3rd")]) == ["risabc-2", "risabc-0"]


def test_what_was_painted_under_the_chosen_rank_belongs_to_it():
    more = mask("2nd", "new", "manual")

    assert ids([*OFFERED, more, choice("2nd")]) == ["risabc-1", "new"]


def test_what_one_drew_oneself_is_all_that_is_new_or_changed():
    new, changed = mask("1st", "xyz", "manual"), mask("3rd", "risabc-2", "prediction-changed")

    found = select_meant_regions([changed, *OFFERED[1:], new, choice("drew it myself")], PICK)

    assert found == [changed, new]


@pytest.mark.parametrize("origin", ["manual", None, "prediction"])
def test_an_offer_is_nobodys_drawing_whatever_origin_a_client_writes(origin):
    offered = [region | {"origin": origin} for region in OFFERED]

    assert ids([*offered, mask("1st", "xyz", "manual"), choice("drew it myself")]) == ["xyz"]
    with pytest.raises(ChoiceError, match="nothing was drawn"):
        select_meant_regions([*offered, choice("drew it myself")], PICK)


def test_what_lies_on_another_picture_alone_is_no_answer():
    two = read_controls(read("tabs_brush.xml").replace("<Image", '<Image name="ref" value="$ref"/><Image', 1))
    elsewhere = mask("a", "r", "manual", "ellipselabels", from_name="e") | {"to_name": "ref"}

    with pytest.raises(EmptyMaskError, match="the only thing drawn is on 'ref'"):
        select_meant_regions([elsewhere], two)
    assert ids([elsewhere, OFFERED[0]], two) == ["risabc-2"]


def test_a_rank_and_what_one_drew_are_meant_together():
    new = mask("1st", "xyz", "manual")

    assert ids([*OFFERED, new, choice("2nd", "drew it myself")]) == ["risabc-1", "xyz"]


@pytest.mark.parametrize("controls", [PICK, TABS], ids=["pick", "tabs"])
def test_no_such_thing_means_no_mask_whatever_lies_on_the_image(controls):
    said = choice("no such thing", name=controls.no_referent.from_name)

    assert select_meant_regions([*OFFERED, said], controls) == []


@pytest.mark.parametrize("others", [("1st",), ("drew it myself",), ("1st", "2nd")])
def test_no_such_thing_and_a_mask_contradict_each_other(others):
    with pytest.raises(ChoiceError, match="'no such thing' was chosen and '.*' too: choose one of them"):
        select_meant_regions([*OFFERED, choice("no such thing", *others)], PICK)


def test_without_a_choice_everything_of_one_label_is_meant():
    assert select_meant_regions(OFFERED, TABS) == OFFERED
    assert ids([OFFERED[1], mask("2nd", "new", "manual")]) == ["risabc-1", "new"]


def test_nothing_on_the_image_and_no_choice_is_no_such_thing():
    assert select_meant_regions([], PICK) == []
    assert select_meant_regions([], TABS) == []
    assert (
        select_meant_regions(
            [{"id": "w", "type": "textarea", "from_name": "note", "value": {"text": ["x"]}}], TABS
        )
        == []
    )


@pytest.mark.parametrize("extra", [[], [choice()], [choice("sunny", name="weather")]])
def test_without_a_choice_several_alternatives_are_no_answer(extra):
    """E.g. by "Create Annotations From Predictions", where nobody chose."""
    with pytest.raises(ChoiceError, match="in 'pick', and masks have 3 labels|'sunny' was chosen"):
        select_meant_regions([*OFFERED, *extra], PICK)


def test_a_choice_of_another_tag_of_the_config_says_nothing_about_masks():
    config = read("tabs_brush.xml").replace(
        "<Image",
        '<Choices name="seen" toName="image"><Choice value="none"/><Choice value="half"/></Choices><Image',
    )
    controls = read_controls(config)

    assert ids([OFFERED[0], choice("none", name="seen")], controls) == ["risabc-2"]


def test_a_rank_without_a_mask_is_told():
    with pytest.raises(ChoiceError, match="'2nd' was chosen and no mask has that label"):
        select_meant_regions([OFFERED[0], choice("2nd")], PICK)
    with pytest.raises(ChoiceError, match="'2nd' was chosen and no mask has that label"):
        select_meant_regions([OFFERED[2], choice("1st", "2nd")], PICK)


@pytest.mark.parametrize("more", [[], [mask("1st", "k", "manual", "keypointlabels")]])
def test_drawn_and_nothing_there_is_told(more):
    with pytest.raises(ChoiceError, match="'drew it myself' was chosen and nothing was drawn"):
        select_meant_regions([*OFFERED, *more, choice("drew it myself")], PICK)


def test_prompts_that_were_left_are_passed_over_beside_a_mask_and_are_no_answer_alone():
    prompt = mask("mine", "p", "manual", "rectanglelabels", from_name="box")

    assert ids([prompt, OFFERED[2]], SMART) == ["risabc-0"]
    assert ids([prompt, choice("no such thing")], SMART) == []
    with pytest.raises(EmptyMaskError, match="only clicks or boxes that ask for a mask were left"):
        select_meant_regions([prompt], SMART)


@pytest.mark.parametrize("result", [None, {}, "x", 3])
def test_a_result_that_is_no_list_is_told(result):
    with pytest.raises(RegionError, match="must be a list of regions"):
        select_meant_regions(result, PICK)


@pytest.mark.parametrize("odd", [None, 3, {}, "x", [], {"type": None}])
def test_an_entry_that_is_no_region_is_told(odd):
    with pytest.raises(RegionError, match="entry 0 of the result"):
        select_meant_regions([odd], PICK)
