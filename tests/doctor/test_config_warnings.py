"""Faults of label configs with which answers could not be read."""

import pytest

from ris import label_config
from ris.doctor.config_warnings import find_warnings
from ris.labelstudio.config.control import read_controls

SHIPPED = (
    "pick_bitmask", "pick_brush", "pick_brush_smart", "pick_polygon", "pick_rectangle", "tabs_brush",
    "tabs_polygon", "type_brush",
)  # fmt: skip


def warnings(config):
    return find_warnings(config, read_controls(config))


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_label_configs_let_nothing_fail(name):
    assert warnings(label_config.read(f"{name}.xml")) == []


@pytest.mark.parametrize(
    ("old", "new", "warning"),
    [
        ("<View>", '<View><VectorLabels name="v" toName="image"><Label value="a"/></VectorLabels>',
         '<VectorLabels name="v">: what it draws gives no mask'),
        ("<View>", '<View><KeyPoint name="k" toName="image" smart="true"/>',
         '<KeyPoint name="k">: an answer with points alone fails; give it smartOnly="true"'),
        ('zoom="true"', 'rotateControl="true"', 'rotateControl="true": a mask that is drawn'),
        ('required="true"', 'required="false"', '<Choices name="pick">: an answer without a choice fails'),
        ('<Choice value="object not in image" hotkey="g"/>', "", "has no choice for an object that is not"),
        ('<Choices name="pick"', '<Choices value="$more" name="pick"', "has choices from the task"),
    ],
)  # fmt: skip
def test_what_lets_an_answer_fail_is_told_with_what_to_change(old, new, warning):
    config = label_config.read("pick_brush.xml")
    assert old in config

    (found,) = warnings(config.replace(old, new))

    assert warning in found


def test_choices_about_single_regions_that_look_like_ranks_are_told():
    config = label_config.read("pick_brush.xml").replace("<Choices ", '<Choices perRegion="true" ')

    assert warnings(config) == ['<Choices name="pick"> is perRegion and takes no mask; remove perRegion']


def test_tools_that_only_ask_and_tags_that_only_say_are_fine():
    config = label_config.read("tabs_brush.xml").replace(
        "<View>",
        '<View><KeyPoint name="k" toName="image" smart="true" smartOnly="true"/>'
        '<Rating name="r" toName="image"/><RectangleLabels name="b" toName="image"><Label value="a"/>'
        "</RectangleLabels>",
    )

    assert warnings(config) == []
