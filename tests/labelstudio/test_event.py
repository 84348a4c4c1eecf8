"""Webhooks: what became of tasks and answers."""

from datetime import UTC, datetime

import pytest

from ris.errors import EventError, LabelConfigError
from ris.label_config import read
from ris.labelstudio.event import make_failures, read_event
from tests.builders.webhooks import REGION, annotation, body, task


def test_a_bulk_event_brings_lists_under_singular_names():
    many = body("ANNOTATIONS_CREATED", annotation=[annotation(1), annotation(2)], task=[task(5), task(6)])

    read = read_event(many).annotations

    assert [(a.annotation_id, a.task.task_id) for a in read] == [(1, 5), (2, 6)]


def test_one_unreadable_answer_of_a_bulk_event_does_not_hide_the_others():
    broken = annotation(2, result=[{**REGION, "value": {"rle": [1]}}])
    many = body("ANNOTATIONS_CREATED", annotation=[annotation(1), broken], task=[task(5), task(6)])

    event = read_event(many)

    assert [a.annotation_id for a in event.annotations] == [1]
    assert len(event.failures) == 1
    failed = event.failures[0]
    assert failed.sentence.startswith("annotation 2: region 'ris-0': a brush stream has at least 7 bytes")
    assert (failed.cause, failed.task_id, failed.annotation_id) == ("region", 6, 2)
    assert failed.updated_at == datetime(2026, 11, 21, 0, 21, 31, 364195, tzinfo=UTC)


def test_a_region_of_another_picture_is_refused_with_both_sizes():
    event = read_event(body(), lambda task: (21, 30))

    assert event.annotations == ()
    assert event.failures[0].cause == "picture size"
    assert "picture of 30 x 20, and the task's picture has 30 x 21" in event.failures[0].sentence


def test_a_label_config_is_known_to_be_in_force_only_where_its_answer_came_at_once():
    assert read_event(body()).label_config == read("tabs_brush.xml")
    assert read_event(body(source="sync")).label_config == ""


def test_deletions_name_what_is_gone():
    gone = read_event(body("ANNOTATIONS_DELETED", annotations=[{"id": 3}, {"id": 4}]))
    tasks = read_event(body("TASKS_DELETED", tasks=[{"id": 5}]))

    assert gone.deleted_annotation_ids == (3, 4)
    assert tasks.deleted_task_ids == (5,)


@pytest.mark.parametrize("action", ["TASKS_CREATED", "PROJECT_UPDATED", "START_TRAINING", "SOMETHING_NEW"])
def test_other_actions_ask_for_nothing(action):
    event = read_event(body(action))

    assert (event.annotations, event.deleted_annotation_ids, event.failures) == ((), (), ())


def without(name):
    made = body()
    del made[name]
    return made


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({}, 'needs "action"'),
        (without("project"), "without the project's label_config"),
        (without("annotation"), '"annotation" must be an object'),
        (body(annotation=[annotation(), annotation()]), "2 annotations and 1 tasks"),
        (body(annotation=annotation(updated_at="soon", created_at=None)), "no time: 'soon'"),
        (body(annotation=annotation(id="x")), "id must be a number"),
        (body("ANNOTATIONS_DELETED"), 'needs "annotations"'),
        (body("ANNOTATIONS_DELETED", annotations=[{"id": None}]), "id must be a number"),
    ],
)
def test_an_event_that_lacks_what_it_promises_is_one_sentence(broken, message):
    with pytest.raises(EventError, match=message):
        event = read_event(broken)
        raise EventError("; ".join(failure.sentence for failure in event.failures))


def test_an_event_of_a_project_without_a_mask_control_says_so():
    made = body()
    made["project"]["label_config"] = "<View/>"

    with pytest.raises(LabelConfigError, match="no <Image"):
        read_event(made)


@pytest.mark.parametrize(
    "moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "soon", None, 3, ["now"]]
)
def test_a_time_that_is_none_fails_its_answer_alone(moment):
    odd = annotation(2, updated_at=moment, created_at=moment)
    many = body("ANNOTATIONS_CREATED", annotation=[annotation(1), odd], task=[task(5), task(6)])

    event = read_event(many)

    assert [a.annotation_id for a in event.annotations] == [1]
    assert "is no time" in event.failures[0].sentence
    assert make_failures(many, ValueError("x"))[1].updated_at is None


ODD_ANSWERS = (
    {"result": [REGION | {"id": ["a"]}, {"type": "labels", "id": {}}]},
    {"result": [REGION | {"original_width": 10**400}]},
    {"result": [REGION | {"value": 7}]},
    {"lead_time": 10**400},
    {"lead_time": "4"},
    {"completed_by": 10**400},
)


@pytest.mark.parametrize("odd", ODD_ANSWERS, ids=range(len(ODD_ANSWERS)))
def test_whatever_an_answer_holds_it_costs_no_other_one(odd):
    many = body(
        "ANNOTATIONS_CREATED", annotation=[annotation(1), annotation(2, **odd)], task=[task(5), task(6)]
    )

    event = read_event(many)

    assert event.annotations[0].annotation_id == 1
    assert len(event.annotations) + len(event.failures) == 2
    assert all("failed inside" not in failure.sentence for failure in event.failures)
