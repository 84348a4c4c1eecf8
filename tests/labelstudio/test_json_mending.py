import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ris.labelstudio.json_mending import MAX_JSON_DEPTH, mend_json
from tests.builders.json_values import JSON


@given(st.lists(JSON, max_size=3))
def test_what_is_sound_is_mended_into_itself(values):
    assert json.loads(mend_json(json.dumps(values).encode())) == values
    assert json.loads(mend_json(json.dumps(values, ensure_ascii=False).encode())) == values


@pytest.mark.parametrize(
    ("odd", "sound"),
    [
        (rb'"\ud83d\ude00"', '"\U0001f600"'),
        (rb'"a \ud83d b"', '"a \ufffd b"'),
        (rb'"\\ud83d \" \ude00"', r'"\\ud83d \" \ufffd"'),
        (b'"\xff"', '"\ufffd"'),
        (b'"tab\there"', '"tab here"'),
        (rb'"\q"', '"\ufffd"'),
        (b"[NaN, -Infinity, 1e400, 0.5e10]", "[null, null, null, 0.5e10]"),
        (b'"NaN 1e400 [["', '"NaN 1e400 [["'),
        (b"\xef\xbb\xbf{}", "{}"),
    ],
)
def test_single_values_are_mended(odd, sound):
    assert json.loads(mend_json(odd)) == json.loads(sound)


def test_what_lies_too_deep_is_left_out_and_the_rest_stays():
    body = b'{"a": ' + b'[{"x": ' * 2000 + b"[1, 2]" + b"}]" * 2000 + b', "b": 1}'

    found = json.loads(mend_json(body))

    assert found["b"] == 1
    assert json.dumps(found).count("[") + json.dumps(found).count("{") == MAX_JSON_DEPTH


@given(st.binary(max_size=60))
def test_whatever_comes_something_comes_back(body):
    assert isinstance(mend_json(body), bytes)
