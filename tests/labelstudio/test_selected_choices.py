"""Choices of an answer: aliases, renamed choices, several at once."""

import pytest

from ris.errors import ChoiceError
from ris.label_config import read
from ris.labelstudio.config.control import read_controls
from ris.labelstudio.selected_choices import is_expression_carried, read_region_labels, read_selected_choices

PICK, TABS, TYPE = (read_controls(read(f"{name}.xml")) for name in ("pick_brush", "tabs_brush", "type_brush"))
ALIASED = read_controls(
    read("pick_brush.xml")
    .replace('<Choice value="2nd"', '<Choice value="2nd" alias="rank-two"')
    .replace('<Choice value="object not in image"', '<Choice value="object not in image" alias="absent"')
    .replace('<Choice value="drawn by me"', '<Choice value="drawn by me" alias="mine"')
    .replace('<Label value="3rd"', '<Label value="3rd" alias="three"')
)
RENAMED = read_controls(
    read("pick_brush.xml")
    .replace('"1st"', '"first"').replace('"2nd"', '"second"').replace('"3rd"', '"third"')
    .replace("object not in image", "not there").replace("drawn by me", "made by me, myself")
)  # fmt: skip
OLD = {"1st", "2nd", "3rd"}


def choice(*values, name="pick"):
    return {"type": "choices", "from_name": name, "value": {"choices": list(values)}}


def test_aliases_are_understood_like_values():
    assert read_selected_choices([choice("rank-two")], ALIASED, OLD).choice_by_label == {"2nd": "rank-two"}
    assert read_selected_choices([choice("2nd")], ALIASED, OLD).choice_by_label == {"2nd": "2nd"}
    assert read_selected_choices([choice("3rd")], ALIASED, OLD).choice_by_label == {"three": "3rd"}
    assert read_selected_choices([choice("absent")], ALIASED, OLD).no_referent == "absent"
    assert read_selected_choices([choice("mine")], ALIASED, OLD).own == "mine"


@pytest.mark.parametrize("said", ["three", "3rd"])
def test_a_label_is_the_same_by_its_alias_and_its_value(said):
    region = {"type": "brushlabels", "value": {"brushlabels": [said]}}

    assert read_region_labels(region, ALIASED) == {"three"}


def test_a_label_that_the_config_does_not_have_stays_as_it_is():
    assert read_region_labels({"type": "brushlabels", "value": {"brushlabels": ["2nd"]}}, RENAMED) == {"2nd"}
    assert read_region_labels({"type": "brushlabels", "value": {}}, RENAMED) == frozenset()
    assert read_region_labels({"type": "brushlabels"}, RENAMED) == frozenset()


def test_a_word_from_before_a_renaming_is_the_label_of_the_same_name():
    assert read_selected_choices([choice("2nd")], RENAMED, OLD).choice_by_label == {"2nd": "2nd"}
    assert (
        read_selected_choices([choice("object not in image")], RENAMED, OLD).no_referent
        == "object not in image"
    )
    assert read_selected_choices([choice("drawn by me")], RENAMED, OLD).own == "drawn by me"


def test_drawn_by_me_from_before_a_renaming_is_no_label_of_the_same_name():
    selected = read_selected_choices([choice("drawn by me")], RENAMED, {*OLD, "drawn by me"})

    assert (selected.own, selected.choice_by_label) == ("drawn by me", {})


@pytest.mark.parametrize("word", ["2nd", "zweite", "4th", ""])
def test_a_word_that_nothing_explains_is_refused_with_those_that_there_are(word):
    with pytest.raises(ChoiceError, match="has no such choice, only 'first', 'second', 'third'"):
        read_selected_choices([choice(word)], RENAMED, {"first", "second", "third"})


def test_a_word_of_the_tag_for_no_such_thing_that_the_config_does_not_have_is_refused():
    with pytest.raises(ChoiceError, match="'gone' was chosen in 'referent', and the label config has no"):
        read_selected_choices([choice("gone", name="referent")], TABS, {"Referent"})
    assert (
        read_selected_choices([choice("no referent", name="referent")], TABS, set()).no_referent
        == "no referent"
    )


@pytest.mark.parametrize(
    ("word", "labels"), [("object not in image", set()), ("2nd", OLD), ("anything", {"1st"})]
)
def test_nobody_knows_what_a_choice_of_a_tag_that_is_gone_meant(word, labels):
    with pytest.raises(ChoiceError, match="was chosen in 'which', and the label config has no choice there"):
        read_selected_choices([choice(word, name="which")], TABS, labels)


def test_a_choice_that_takes_no_mask_today_and_names_one_of_several_labels_is_refused():
    config = read("tabs_brush.xml").replace(
        "<Image", '<Choices name="best" toName="image"><Choice value="2nd"/></Choices><Image'
    )

    with pytest.raises(ChoiceError, match="'2nd' was chosen in 'best'"):
        read_selected_choices([choice("2nd", name="best")], read_controls(config), OLD)


NESTED = read_controls(
    read("pick_brush.xml")
    .replace('<Choice value="2nd" hotkey="s"/>', '<Choice value="2nd"><Choice value="blurred"/></Choice>')
    .replace('image" hotkey="g"/>', 'image"><Choice value="hidden"/></Choice>')
)


def test_every_step_of_a_nested_choice_was_made():
    assert read_selected_choices([choice(["2nd", "blurred"])], NESTED, OLD).choice_by_label == {"2nd": "2nd"}
    assert (
        read_selected_choices([choice(["object not in image", "hidden"])], NESTED, OLD).no_referent
        == "object not in image"
    )


@pytest.mark.parametrize("labels", [OLD, {"1st"}, set()])
def test_a_choice_of_the_tag_that_takes_masks_which_takes_none_is_refused(labels):
    unsure = read_controls(read("pick_brush.xml").replace("</Choices>", '<Choice value="unsure"/></Choices>'))

    with pytest.raises(ChoiceError, match="'unsure' was chosen, which neither selects a mask"):
        read_selected_choices([choice("unsure")], unsure, labels)
    assert read_selected_choices([choice("unsure", "1st")], unsure, labels).choice_by_label == {"1st": "1st"}


@pytest.mark.parametrize("value", [None, {}, {"choices": "2nd"}, {"choices": [2]}, {"choices": [[]]}, "2nd"])
def test_a_choice_that_cannot_be_read_is_refused(value):
    with pytest.raises(ChoiceError, match="the choice of 'pick' must be a list of texts"):
        read_selected_choices([{"type": "choices", "from_name": "pick", "value": value}], PICK, OLD)


def test_the_choice_that_keeps_the_expression_is_heard():
    keep = choice("keep the expression for the next image", name="keep")

    assert is_expression_carried([keep, choice("1st")], TYPE)
    assert not is_expression_carried([choice("1st")], TYPE)
