import pytest

from ris.errors import LabelStudioError, LabelStudioRefusal
from ris.label_config import read
from ris.labelstudio.api.pushing import PredictionWriter
from ris.labelstudio.config.control import read_controls
from tests.builders.parcels import CONTROLS, TASKS, parcel
from tests.labelstudio.predictions import PROJECT, PredictionStore


@pytest.fixture
def studio():
    return PredictionStore([7, 8])


@pytest.fixture
def pushing(studio):
    return PredictionWriter(studio)


def test_alternatives_are_stored_worst_first_as_label_studio_stores_them_itself(studio, pushing):
    assert pushing.push_all(1, [parcel(TASKS[0])], CONTROLS, "v1") == 3

    stored = studio.of(7)
    assert [p["result"][0]["meta"]["rank"] for p in stored] == [2, 1, 0]
    assert {(p["task"], p["model_version"]) for p in stored} == {(7, "v1")}


def test_many_tasks_go_in_one_call_and_what_is_there_is_not_stored_again(studio, pushing):
    parcels = [parcel(task) for task in TASKS]

    assert pushing.push_all(1, parcels, CONTROLS, "v1") == 6
    assert studio.calls == {"GET /api/tasks": 1, "POST /api/projects/1/import/predictions": 1}
    assert pushing.push_all(1, parcels, CONTROLS, "v1") == 0
    assert studio.calls["GET /api/tasks"] == 3  # which tasks have predictions, and these
    assert studio.calls["GET /api/predictions"] == 0
    assert pushing.push_all(1, [parcel(TASKS[0], "v2")], CONTROLS, "v2") == 3


def test_what_was_stored_in_part_is_completed(studio, pushing):
    pushing.push_all(1, [parcel(TASKS[0])], CONTROLS, "v1")
    lost = studio.predictions.popitem()[1]
    assert not pushing.is_stored(parcel(TASKS[0]), CONTROLS, "v1")

    assert pushing.push_all(1, [parcel(TASKS[0])], CONTROLS, "v1") == 1

    assert studio.of(7)[-1] | {"id": 0} == lost | {"id": 0}
    assert pushing.is_stored(parcel(TASKS[0]), CONTROLS, "v1")


def test_words_that_were_kept_are_written_with_the_predictions(studio):
    controls = read_controls(read("type_brush.xml"))

    PredictionWriter(studio).push_all(1, [parcel(TASKS[0], carried_expression="the mug")], controls, "v1")

    said = [region["value"] for region in studio.of(7)[0]["result"] if region["type"] == "textarea"]
    assert said == [{"text": ["the mug"]}]


def test_a_refusal_is_told_from_silence(studio, pushing):
    studio.refuses = {7}
    with pytest.raises(LabelStudioRefusal, match="answered 400"):
        pushing.push_all(1, [parcel(task) for task in TASKS], CONTROLS, "v1")
    assert studio.predictions == {}

    studio.fails = "before"
    with pytest.raises(LabelStudioError, match="does not answer") as error:
        pushing.push_all(1, [parcel(TASKS[1])], CONTROLS, "v1")
    assert not isinstance(error.value, LabelStudioRefusal)


def test_a_project_is_reached_only_where_it_was_created_at_the_same_time(pushing):
    assert pushing.can_reach(PROJECT)
    assert not pushing.can_reach("1.1700000001")
    assert not pushing.can_reach("tasks.json")


def test_the_predictions_of_one_task_that_are_ours_are_removed(studio, pushing):
    pushing.push_all(1, [parcel(task) for task in TASKS], CONTROLS, "v1")
    studio.store({"task": 7, "result": [{"id": "theirs"}], "model_version": "other", "score": 1})

    pushing.remove_all(7)

    assert [p["result"][0]["id"] for p in studio.of(7)] == ["theirs"]
    assert len(studio.of(8)) == 3
