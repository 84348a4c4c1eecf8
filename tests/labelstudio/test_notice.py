"""Notices: what an empty interactive answer writes, and in which label configs."""

import pytest

from ris.label_config import read
from ris.labelstudio.choice import select_meant_regions
from ris.labelstudio.config.control import read_controls
from ris.labelstudio.notice import Notice, can_show_notices, clear_notices, write_notice

INTERACTIVE = ("pick_brush_smart.xml", "type_brush.xml")
SMART, PLAIN = read_controls(read("pick_brush_smart.xml")), read_controls(read("pick_brush.xml"))
CLICK = {"id": "k1", "from_name": "click", "to_name": "image", "type": "keypointlabels", "value": {}}
BOX = {"id": "b1", "from_name": "box", "to_name": "image", "type": "rectanglelabels", "value": {}}
WORDS = {"id": "t1", "from_name": "expression", "type": "textarea", "value": {"text": ["the box"]}}


def shown(regions):
    return {r["from_name"]: r["value"]["choices"] for r in regions if r["from_name"] in set(Notice)}


@pytest.mark.parametrize("name", INTERACTIVE)
def test_every_interactive_label_config_can_show_notices(name):
    assert can_show_notices(read_controls(read(name)))
    assert read_controls(read(name)).is_interactive


def test_a_label_config_without_one_of_the_tags_gets_nothing():
    config = read("pick_brush_smart.xml").replace('name="notice_3"', 'name="notice_4"')

    for controls in (PLAIN, read_controls(config.replace('toName="notice_3"', 'toName="notice_4"'))):
        assert write_notice(Notice.NOTHING_FOUND, {"result": [CLICK]}, controls) == []
        assert clear_notices(controls) == []


@pytest.mark.parametrize("notice", Notice)
def test_one_notice_is_shown_and_the_others_are_hidden(notice):
    choices = shown(write_notice(notice, {"result": [CLICK]}, SMART))

    assert choices == {one: ["shown"] if one is notice else [] for one in Notice}


def test_an_answer_with_masks_hides_all_notices():
    assert shown(clear_notices(SMART)) == {"nothing_found": [], "no_answer": []}


def test_each_click_and_box_is_replaced_by_a_region_of_a_text_and_this_by_a_choice():
    regions = write_notice(Notice.NOTHING_FOUND, {"result": [CLICK, BOX]}, SMART)

    removed = [r for r in regions if r["to_name"] == "notice_1" and r["from_name"] == "removed"]
    assert [(r["id"], "start" in r["value"]) for r in removed] == [
        ("k1", True), ("k1-removed", False), ("b1", True), ("b1-removed", False)
    ]  # fmt: skip


def test_words_that_found_nothing_stay():
    regions = write_notice(Notice.NOTHING_FOUND, {"result": [WORDS]}, SMART)

    assert "t1" not in {r["id"] for r in regions}
    assert shown(regions)["nothing_found"] == ["shown"]


@pytest.mark.parametrize("result", [None, 7, [], [None, {"type": "keypointlabels"}]])
def test_a_request_without_regions_removes_none(result):
    regions = write_notice(Notice.NO_ANSWER, {"result": result}, SMART)

    assert {r["to_name"] for r in regions if r["from_name"] == "removed"} == {"notice_2", "notice_3"}


def test_a_notice_in_an_answer_says_nothing_of_its_masks():
    notices = [r for r in write_notice(Notice.NOTHING_FOUND, {"result": []}, SMART) if r["id"] != "x"]

    assert select_meant_regions(notices, SMART) == []
