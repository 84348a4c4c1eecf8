import pytest
from hypothesis import given
from hypothesis import strategies as st

from ris.errors import LabelStudioError
from ris.labelstudio.api.duplicates import (
    DuplicatedTask,
    find_duplicated_tasks,
    find_surplus_predictions,
    remove_surplus_predictions,
)
from tests.labelstudio.predictions import PredictionStore


def region(rank):
    return [{"id": f"risabc-{rank}"}]


def put(studio, task, ranks=(2, 1, 0), version="v1"):
    """Store a set of predictions, worst first; return their numbers."""
    return [studio.store({"task": task, "result": region(r), "model_version": version}) for r in ranks]


def found(studio, more_than=1):
    return {one.task_id: one for one in find_duplicated_tasks(studio, 1, more_than=more_than)}


@pytest.fixture
def studio():
    return PredictionStore([1, 2, 3])


def test_the_newest_set_stays_because_the_editor_has_opened_with_it(studio):
    put(studio, 1)
    first, second = put(studio, 2), put(studio, 2)

    assert found(studio) == {2: DuplicatedTask(2, tuple(first), False)}
    assert sum(remove_surplus_predictions(studio, one) for one in found(studio).values()) == 3
    assert [p["id"] for p in studio.of(2)] == second
    assert found(studio) == {}


def test_the_set_that_an_annotation_came_from_stays_whole(studio):
    first, second = put(studio, 1), put(studio, 1)
    studio.annotate(1, parent=first[2])

    assert found(studio)[1].surplus == tuple(second)


def test_what_annotations_came_from_stays_of_every_set(studio):
    first, second = put(studio, 1), put(studio, 1)
    for parent in (*first, second[0]):
        studio.annotate(1, parent=parent)

    assert found(studio)[1].surplus == tuple(second[1:])


def test_a_part_of_a_set_goes_and_the_whole_one_stays(studio):
    put(studio, 1)
    part = put(studio, 1, ranks=(2,))

    assert found(studio)[1].surplus == tuple(part)


def test_two_versions_are_two_sets_and_what_is_not_ours_is_nobodys_double(studio):
    put(studio, 1), put(studio, 1, version="v2")
    for _ in range(2):
        studio.store({"task": 2, "result": [{"id": "x1"}], "model_version": "theirs"})
        studio.store({"task": 2, "result": [], "model_version": "theirs"})

    assert found(studio) == {}


def test_a_task_that_somebody_has_a_draft_of_is_left_alone(studio):
    put(studio, 1), put(studio, 1)
    studio.drafts.add(1)
    (one,) = found(studio).values()

    assert (one.has_draft, len(one.surplus), remove_surplus_predictions(studio, one)) == (True, 3, 0)
    assert len(studio.of(1)) == 6


def test_one_request_finds_the_few_among_many():
    studio = PredictionStore(range(1, 301))
    for task in range(1, 301):
        put(studio, task)
    put(studio, 77)

    assert set(found(studio, more_than=3)) == {77}
    assert studio.calls == {"GET /api/tasks": 1}
    assert set(found(studio)) == {77}
    assert studio.calls == {"GET /api/tasks": 4}


def test_what_somebody_else_removed_meanwhile_is_gone_and_a_refusal_is_told(studio):
    first, _ = put(studio, 1), put(studio, 1)
    (one,) = found(studio).values()
    del studio.predictions[first[0]]
    studio.exists = lambda path: int(path.split("/")[3]) in studio.predictions
    assert remove_surplus_predictions(studio, one) == 2

    again = DuplicatedTask(1, tuple(studio.predictions)[:1], False)
    studio.fails = "before"
    with pytest.raises(LabelStudioError, match="does not answer"):
        remove_surplus_predictions(studio, again)


PREDICTIONS = st.lists(
    st.tuples(st.sampled_from([0, 1, 2]), st.sampled_from(["v1", "v2"])), min_size=1, max_size=14
)


@given(stored=PREDICTIONS, named=st.sets(st.integers(1, 14)))
def test_each_prediction_stays_once_or_as_often_as_annotations_came_from_it(stored, named):
    predictions = [
        {"id": i, "result": region(rank), "model_version": version}
        for i, (rank, version) in enumerate(stored, 1)
    ]
    annotations = [{"parent_prediction": number} for number in named]

    surplus = set(find_surplus_predictions(predictions, annotations))
    left = [p for p in predictions if p["id"] not in surplus]

    assert not surplus & named
    for what in set(stored):
        copies = [p["id"] for p in left if stored[p["id"] - 1] == what]
        assert len(copies) >= 1
        assert len(copies) == 1 or set(copies) <= named or len(set(copies) - named) == 1
    assert find_surplus_predictions(left, annotations) == () or named
    assert set(find_surplus_predictions(predictions[::-1], annotations)) == surplus
