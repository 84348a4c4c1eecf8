"""Typed expressions: which expression an answer has then, and which regions it means."""

import pytest

from ris.core import rle
from ris.core.types import Alternative, MethodScore, Suggestion
from ris.label_config import read
from ris.labelstudio.config.control import Choice, read_controls
from ris.labelstudio.event import read_event
from ris.labelstudio.region import make_region_id, write_alternatives, write_predictions
from ris.labelstudio.task import read_task
from tests.builders.masks import rectangle

CONFIG = read("type_brush.xml")
CONTROLS = read_controls(CONFIG)
PROJECT = "1.1767225600"
SIZE = (20, 30)


def offers(words, left):
    mask = rle.encode_rle(rectangle(SIZE, 2, left, 9, left + 8))
    suggestion = Suggestion(0, 0.9, mask, (0, 0, 1, 1), {"lgd": MethodScore(1.0, 0)}, "v1")
    return (Alternative(make_region_id(PROJECT, 7, words, "v1", 0), suggestion),)


def typed(*lines):
    return {
        "id": "t", "from_name": "expression", "to_name": "image", "type": "textarea",
        "value": {"text": list(lines)},
    }  # fmt: skip


def choice(name, value):
    return {
        "id": name,
        "from_name": name,
        "to_name": "image",
        "type": "choices",
        "value": {"choices": [value]},
    }


def make_answer(*result, data=None, **more):
    (found,) = read_event(make_answer_event(*result, data=data, **more)).annotations or (None,)
    return found


def make_answer_event(*result, data=None, **more):
    return {
        "action": "ANNOTATION_CREATED",
        "annotation": {"id": 1, "result": list(result), "updated_at": "2026-01-02T00:00:00Z", **more},
        "task": {"id": 7, "data": {"image": "/a"} | (data or {})},
        "project": {"id": 1, "created_at": "2026-01-01T00:00:00Z", "label_config": CONFIG},
    }


KEEP = choice("keep", "keep the expression for the next image")
FIRST = choice("pick", "1st")


def test_the_config_says_where_words_are_typed_and_how_they_are_kept():
    assert CONTROLS.expression_area == "expression"
    assert CONTROLS.keep_choice == Choice("keep", "image", "keep the expression for the next image")
    assert read_controls(read("pick_brush.xml")).expression_area == ""


def test_what_a_tool_that_only_points_drew_is_no_mask():
    region = write_alternatives(offers("mug", 3), CONTROLS)
    scribble = {**region[0], "id": "s", "from_name": "box", "origin": "manual"}

    found = make_answer(
        typed("mug"), choice("pick", "drew it myself"), *region, scribble | {"from_name": "mask"}
    )
    assert found.region_ids == ("s",)
    assert "nothing was drawn" in failure(typed("mug"), choice("pick", "drew it myself"), *region, scribble)


def failure(*result):
    return read_event(make_answer_event(*result)).failures[0].sentence


def test_a_task_may_wait_for_its_words():
    assert read_task({"id": 7, "data": {"image": "/a"}}, PROJECT, CONTROLS).expression == ""
    assert (
        read_task({"id": 7, "data": {"image": "/a", "expression": "mug"}}, PROJECT, CONTROLS).expression
        == "mug"
    )


def test_what_was_typed_last_is_what_the_answer_is_about():
    region = write_alternatives(offers("the left mug", 3), CONTROLS)

    found = make_answer(typed("the cup", "the left mug "), *region, FIRST, data={"expression": "the cup"})

    assert found.task.expression == "the left mug"
    assert found.region_ids == (offers("the left mug", 3)[0].region_id,)


def test_untouched_offers_for_words_that_were_replaced_are_not_meant():
    """Both have the label "1st": the one for the task's own expression no longer counts."""
    old, new = offers("the cup", 3), offers("the left mug", 15)

    found = make_answer(
        *write_alternatives(old, CONTROLS), *write_alternatives(new, CONTROLS), typed("the left mug"), FIRST,
        data={"expression": "the cup"},
    )  # fmt: skip

    assert found.mask == new[0].suggestion.mask
    same = make_answer(
        *write_alternatives(old, CONTROLS), typed("the cup"), FIRST, data={"expression": "the cup"}
    )
    assert same.mask == old[0].suggestion.mask


def test_only_offers_for_replaced_words_are_no_answer():
    old = write_alternatives(offers("the cup", 3), CONTROLS)
    event = make_answer_event(*old, typed("the left mug"), data={"expression": "the cup"})

    (failed,) = read_event(event).failures

    assert failed.cause == "empty mask"
    assert "offered for 'the cup', and 'the left mug' was typed" in failed.sentence


def test_imported_offers_for_words_that_were_replaced_are_not_meant_either():
    """Their ids are of another task: for which expression is unknown, but not for this one."""
    imported = [
        r | {"id": "risaaaaaaaaaaaaaaaa-0"} for r in write_alternatives(offers("the cup", 3)[:1], CONTROLS)
    ]
    new = offers("the left mug", 15)

    found = make_answer(
        *imported, *write_alternatives(new, CONTROLS), typed("the left mug"), FIRST, data={"expression":
        "the cup"},
    )  # fmt: skip

    assert found.mask == new[0].suggestion.mask


@pytest.mark.parametrize(("result", "keeps"), [((KEEP,), "mug"), ((), "")])
def test_words_are_kept_for_the_next_image_when_the_annotator_says_so(result, keeps):
    assert make_answer(typed("mug"), choice("pick", "no such thing"), *result).carried_expression == keeps


def test_an_answer_without_words_is_no_answer_unless_it_was_skipped():
    assert "nothing was typed in 'expression'" in failure()
    assert make_answer(was_cancelled=True).cancelled


def test_kept_words_stand_in_the_text_field_with_their_alternatives():
    (prediction,) = write_predictions(offers("mug", 3), CONTROLS, version="v1", carried_expression="mug")

    words, keep = prediction["result"][-2:]
    assert keep["value"] == {"choices": ["keep the expression for the next image"]}
    assert (words["type"], words["from_name"], words["value"]) == (
        "textarea",
        "expression",
        {"text": ["mug"]},
    )
    assert make_answer(*prediction["result"], FIRST).task.expression == "mug"


@pytest.mark.parametrize("name", ["paraphrase", "keywords", "prompt_quality", "expression_comment", "notes"])
def test_a_text_field_of_another_name_does_not_say_what_an_answer_is_about(name):
    config = read("tabs_brush.xml").replace("<Image", f'<TextArea name="{name}" toName="image"/><Image', 1)

    assert read_controls(config).expression_area == ""


@pytest.mark.parametrize("name", ["expression", "Prompt", "phrase", "words", "the_expression"])
def test_a_text_field_that_is_called_expression_or_prompt_says_it(name):
    config = read("tabs_brush.xml").replace("<Image", f'<TextArea name="{name}" toName="image"/><Image', 1)

    assert read_controls(config).expression_area == name
