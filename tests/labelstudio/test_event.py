from datetime import UTC, datetime

import numpy as np
import pytest

from ris.core import rle
from ris.errors import EventError, LabelConfigError
from ris.label_config import read
from ris.labelstudio.event import drop_secrets, make_failures, make_project_key, read_event, to_canonical_json
from ris.labelstudio.masks import brush
from tests.builders.masks import rectangle

MASK = rectangle((20, 30), 3, 4, 15, 12)
REGION = {
    "id": "ris-0", "type": "brushlabels", "from_name": "mask", "to_name": "image", "origin": "prediction",
    "original_height": 20, "original_width": 30, "image_rotation": 0, "meta": {"rank": 0},
    "value": {"format": "rle", "rle": brush.encode_brush(MASK), "brushlabels": ["Referent"]},
}  # fmt: skip


def annotation(number=22, **more):
    return {
        "id": number, "unique_id": "0954f131", "task": 373, "project": 9, "completed_by": 1,
        "was_cancelled": False, "lead_time": 2.341, "updated_at": "2026-11-21T00:21:31.364195Z",
        "created_at": "2026-11-21T00:21:30.1Z",
        "parent_prediction": 610, "prediction": {}, "result": [REGION], **more,
    }  # fmt: skip


def task(number=373):
    return {"id": number, "data": {"image": "/data/upload/9/a.png", "expression": "the left mug"}, "meta": {}}


def body(action="ANNOTATION_CREATED", **more):
    project = {
        "id": 9, "created_at": "2026-11-20T23:59:06.546513Z", "label_config": read("tabs_brush.xml"),
        "token": "owner-token", "task_data_password": "pw", "task_data_login": None,
    }  # fmt: skip
    return {"action": action, "annotation": annotation(), "task": task(), "project": project, **more}


def test_an_annotation_is_read_with_all_that_it_says():
    event = read_event(body())

    (read,) = event.annotations
    assert (event.project, read.task.project) == ("9.1795219146", "9.1795219146")
    assert (read.annotation_id, read.task.task_id, read.task.expression) == (22, 373, "the left mug")
    assert read.updated_at == datetime(2026, 11, 21, 0, 21, 31, 364195, tzinfo=UTC)
    assert (rle.decode_rle(read.mask) == MASK).all()
    assert (read.region_ids, read.annotator, read.lead_time_s, read.parent_prediction) == (
        ("ris-0",),
        1,
        2.341,
        610,
    )
    assert not read.cancelled


@pytest.mark.parametrize("result", [[REGION], [], [{"type": "vectorlabels"}], ["odd"], None])
def test_a_skip_is_a_skip_whatever_lies_on_the_image(result):
    (read,) = read_event(body(annotation=annotation(was_cancelled=True, result=result))).annotations

    assert (read.cancelled, read.mask) == (True, None)


def test_no_region_is_no_mask():
    assert read_event(body(annotation=annotation(result=[]))).annotations[0].mask is None


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


def test_a_size_that_a_region_does_not_say_is_the_one_on_record():
    bare = {k: v for k, v in REGION.items() if k not in ("original_width", "original_height")}
    asked = []

    def on_record(task):
        asked.append(task.image_url)
        return 20, 30

    (read,) = read_event(body(annotation=annotation(result=[bare])), on_record).annotations

    assert (rle.decode_rle(read.mask) == MASK).all()
    assert asked == ["/data/upload/9/a.png"]


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


def test_the_project_is_the_one_that_setup_names():
    project = {"id": 1, "created_at": "2026-11-21T12:32:26.999999+00:00"}

    assert (
        make_project_key({"project": project})
        == f"1.{int(datetime(2026, 11, 21, 12, 32, 26, tzinfo=UTC).timestamp())}"
    )


def test_secrets_are_dropped_at_any_depth_and_everything_else_stays():
    clean = drop_secrets(body(extra=[{"Password": "p", "fine": 1}]))

    assert "owner-token" not in repr(clean)
    assert "pw" not in repr(clean["project"])
    assert clean["extra"] == [{"fine": 1}]
    assert clean["annotation"] == annotation()


def test_the_same_event_has_the_same_digest_and_another_has_not():
    assert to_canonical_json(body()) == to_canonical_json(dict(reversed(body().items())))
    assert to_canonical_json(body()) != to_canonical_json(body(annotation=annotation(lead_time=9)))


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


def test_a_character_that_no_database_takes_is_dropped():
    assert drop_secrets({"a": ["x\x00y"]}) == {"a": ["xy"]}


def test_an_annotator_may_come_as_an_object():
    assert read_event(body(annotation=annotation(completed_by={"id": 5}))).annotations[0].annotator == 5


def test_the_mask_of_a_region_is_not_changed_by_reading():
    assert np.array_equal(brush.decode_brush(REGION["value"]["rle"], (20, 30)), MASK)


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


@pytest.mark.parametrize("result", [None, {}, "", 0, "[]"])
def test_an_answer_without_a_list_of_regions_is_no_answer(result):
    (failed,) = read_event(body(annotation=annotation(result=result))).failures

    assert "an answer needs its result, a list of regions" in failed.sentence


@pytest.mark.parametrize(
    ("said", "cancelled"),
    [(True, True), (1, True), ("true", True), (False, False), (None, False), (0, False)],
)
def test_a_skip_is_said_in_several_ways(said, cancelled):
    (read,) = read_event(body(annotation=annotation(was_cancelled=said))).annotations

    assert read.cancelled is cancelled
