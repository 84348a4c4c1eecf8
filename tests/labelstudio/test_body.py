import contextlib
import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ris.errors import InputError, OversizedError
from ris.labelstudio.body import MAX_TASKS, parse_body, parse_predict
from ris.labelstudio.json_cost import FREE_BYTES
from ris.labelstudio.json_mending import is_too_deep
from tests.builders.json_values import JSON

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
        b'{"tasks": [',
        b"\xff",
        b'{"tasks": "',
        b'{"tasks": [01]}',
        b'{"x": ' * 5000,
        b'{"tasks": ' + b"[" * 5000,
    ],
)
def test_what_is_no_json_is_refused(body):
    with pytest.raises(InputError, match="the body of /predict must be JSON"):
        parse_predict(body)
    with pytest.raises(InputError, match="the body of /setup must be JSON"):
        parse_body(body, "/setup")


ODD = (
    b'"half \\ud83d"', b'"\\udd89"', b'"\\ud83d\\ud83d"', b'{"\\ud83d": 1}', b'"\xff"', b'"\xed\xa0\xbd"',
    b'"\x01\t"', b'"\\q"', b"NaN", b"-Infinity", b"1e400", b"-" + b"9" * 5000, b"[" * 5000 + b"]" * 5000,
    b'{"a": ' * 3000 + b"NaN" + b"}" * 3000, b"[[NaN, 1], {}]",
)  # fmt: skip
RUN = [*range(990, 1010), 7, 255, 0] * 3
GOOD = {
    "id": 14,
    "data": {"run": RUN, "image": "a.png", "expression": 'the "owl" \\ \U0001f989', "odd": [-1.5e3, True]},
}


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
@pytest.mark.parametrize(
    "where",
    ['"data": {"image": "b.png", "expression": ODD}', '"data": {"x": ODD}', '"id": ODD',
     '"predictions": [ODD]', '"data": {"image": "b.png"}, "meta": {"deep": [ODD]}'],
)  # fmt: skip
def test_a_value_that_no_reader_takes_costs_no_other_task(odd, where):
    good = json.dumps(GOOD).encode()
    bad = b"{" + where.encode().replace(b"ODD", odd) + b"}"

    parsed = parse_predict(b'{"tasks": [' + b", ".join([good, bad, good]) + b'], "project": "1.2"}')

    assert parsed["project"] == "1.2"
    assert [parsed["tasks"][0], parsed["tasks"][2]] == [GOOD, GOOD]
    assert isinstance(parsed["tasks"][1], dict)
    if '"image": "b.png"' in where:
        assert parsed["tasks"][1]["data"]["image"] == "b.png"


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_the_same_goes_for_the_body_itself(odd):
    body = b'{"project": "1.2", "schema": ' + odd + b"}"

    assert parse_predict(body)["project"] == "1.2"
    if not is_too_deep(body):
        assert parse_body(body, "/setup")["project"] == "1.2"


@pytest.mark.parametrize("shape", [b"[", b'{"a":'])
def test_a_body_that_is_nested_too_deep_is_one_sentence(shape):
    body = b'{"action": "X", "extra": ' + shape * 1001

    with pytest.raises(
        InputError, match="/webhook must be JSON that can be read: it is nested deeper than 1000"
    ):
        parse_body(body, "/webhook")


def test_brackets_inside_of_texts_are_no_depth():
    assert not is_too_deep(json.dumps({"a": "[" * 2000 + '"' + "{" * 2000}).encode())


SMALL = {
    "objects": b"{},", "lists": b"[],", "texts": b'"a",', "objects with one entry": b'{"a":1},',
}  # fmt: skip


@pytest.mark.parametrize("parse", [parse_predict, lambda body: parse_body(body, "/webhook")])
@pytest.mark.parametrize("value", SMALL.values(), ids=SMALL)
def test_a_large_body_of_very_small_values_is_refused_without_making_them(parse, value):
    body = b'{"tasks": [' + value * (FREE_BYTES // len(value) + 1) + b"{}]}"

    tracemalloc.start()
    with pytest.raises(OversizedError, match="the body of /.* has 4 MB of very small values"):
        parse(body)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak_bytes < len(body) + 100_000


@pytest.mark.parametrize("odd", [b"", b"NaN, "])
def test_too_many_tasks_are_refused(odd):
    body = b'{"tasks": [' + odd + b"1," * MAX_TASKS + b"2]}"

    with pytest.raises(OversizedError, match=f"{MAX_TASKS} is the limit"):
        parse_predict(body)


def test_a_large_body_with_one_odd_value_is_read():
    """It is repaired as a whole, and what is no task is None, as in a small body."""
    filling = b'{"id": 3, "data": {}, "predictions": "' + b"x" * FREE_BYTES + b'"}'
    body = b'{"tasks": [{"id": 1, "data": {"x": NaN, "image": "a"}}, 7, [1], null, ' + filling + b"]}"

    assert parse_predict(body)["tasks"] == [
        {"id": 1, "data": {"x": None, "image": "a"}}, None, None, None, {"id": 3, "data": {}},
    ]  # fmt: skip


def test_half_an_emoji_is_a_replacement_character_and_a_whole_one_stays():
    body = b'{"tasks": {"id": 1, "data": {"t": "\\ud83d\\ude00 \\ud83d \\\\ud83d \\ude00"}}}'

    assert parse_predict(body)["tasks"]["data"]["t"] == "\U0001f600 \ufffd \\ud83d \ufffd"


def test_a_mark_before_the_json_is_no_part_of_it():
    assert parse_predict(b'\xef\xbb\xbf{"tasks": 3}')["tasks"] is None
    assert parse_body(b'\xef\xbb\xbf{"a": 3}', "/setup") == {"a": 3}


@given(st.binary(max_size=40) | st.text('"\\\\[]{}:,1eNaud8', max_size=30).map(str.encode))
def test_any_bytes_are_json_or_refused_on_purpose(body):
    with contextlib.suppress(InputError):
        parse_predict(body)
    with contextlib.suppress(InputError):
        parse_body(body, "/webhook")


def test_earlier_masks_are_skipped_and_never_become_objects():
    masks = b"[" + b"255, " * 1_000_000 + b"0]"
    body = b'{"tasks": [{"id": 1, "data": {"image": "x"}, "predictions": [{"result": ' + masks + b"}]}]}"

    tracemalloc.start()
    parsed = parse_predict(body)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert parsed["tasks"] == [{"id": 1, "data": {"image": "x"}}]
    assert peak_bytes < 100_000
