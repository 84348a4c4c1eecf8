import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.errors import InputError
from backend.labelstudio.body import parse_predict

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
TASK = st.fixed_dictionaries({"id": JSON, "data": JSON}, optional={"predictions": JSON, "meta": JSON})


@given(st.lists(TASK, max_size=3), JSON, JSON)
def test_what_is_read_is_what_json_says_without_what_nobody_reads(tasks, project, params):
    body = {"tasks": tasks, "project": project, "params": params, "more": [1, {"x": None}]}

    parsed = parse_predict(json.dumps(body).encode())

    assert parsed == {
        "tasks": [{"id": task["id"], "data": task["data"]} for task in tasks],
        "project": project, "params": params, "label_config": None,
    }  # fmt: skip


@given(JSON.filter(lambda value: not isinstance(value, dict)))
def test_json_that_is_no_object_stays_what_it_is(value):
    assert parse_predict(json.dumps(value).encode()) == value


def test_one_task_by_itself_is_that_task():
    assert parse_predict(b'{"tasks": {"id": 3, "data": {}}}')["tasks"] == {"id": 3, "data": {}}


@pytest.mark.parametrize("tasks", [b'{"tasks": 3}', b'{"tasks": null}', b"{}"])
def test_tasks_that_are_none_are_null(tasks):
    assert parse_predict(tasks)["tasks"] is None


def test_a_task_that_cannot_be_understood_fails_alone():
    body = b'{"tasks": [[1], 7, {"id": 2, "data": {}}]}'

    assert parse_predict(body)["tasks"] == [None, None, {"id": 2, "data": {}}]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no",
        b"[NaN]",
        b'{"tasks": [',
        b"\xff",
        b'{"project": "\\ud800"}',
        b'{"x": ' * 5000,
        b'{"tasks": ' + b"[" * 5000,
    ],
)
def test_what_is_no_json_is_refused(body):
    with pytest.raises(InputError, match="the body of /predict must be JSON"):
        parse_predict(body)


def test_earlier_masks_are_skipped_and_never_become_objects():
    masks = b"[" + b"255, " * 1_000_000 + b"0]"
    body = b'{"tasks": [{"id": 1, "data": {"image": "x"}, "predictions": [{"result": ' + masks + b"}]}]}"

    tracemalloc.start()
    parsed = parse_predict(body)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert parsed["tasks"] == [{"id": 1, "data": {"image": "x"}}]
    assert peak_bytes < 100_000
