"""Bodies that are no JSON, or odd JSON: each gets a sentence, and none an internal error."""

import gzip
import io
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ris.label_config import read
from ris.store.history import read_decisions
from ris.store.inbox import count_events
from ris.web.app import MAX_BODY_BYTES
from tests.builders.events import box, event

ROUTES = ("/setup", "/predict", "/webhook")
MANY = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)  # fmt: skip
ASKED = {
    "project": "1.1700000000", "label_config": read("tabs_brush.xml"), "schema": read("tabs_brush.xml"),
    "tasks": [{"id": 1, "data": {"image": "squares", "expression": "the red"}}],
    **{name: value for name, value in event([box(10)]).items() if name not in ("project", "task")},
}  # fmt: skip


def get_sentence(answer):
    assert answer.is_json
    assert len(answer.json["error"]) > 10
    return answer.json["error"]


@pytest.mark.parametrize("route", ROUTES)
@MANY
@given(st.binary(max_size=60) | st.text('"\\[]{}:,1eNaud8\x00\ud83d', max_size=40).map(
    lambda text: text.encode("utf-8", "surrogatepass")
))  # fmt: skip
def test_any_bytes_are_answered(client, gate, route, body):
    gate.opened.set()

    answer = client.post(route, data=body, content_type="application/json")

    assert answer.status_code in (200, 201, 400)
    if answer.status_code == 400:
        assert get_sentence(answer)


@pytest.mark.parametrize("route", ROUTES)
@MANY
@given(st.data())
def test_a_request_with_a_piece_replaced_by_any_bytes_is_answered(client, gate, route, data):
    gate.opened.set()
    text = json.dumps(ASKED).encode()
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(start + 30, len(text))))
    odd = data.draw(
        st.binary(max_size=12)
        | st.sampled_from(
            [b"NaN", b"-Infinity", b"1e999", b"9" * 5000, b'"\\ud83d"', b"[" * 2000, b"{}", b"null"]
        )
    )

    answer = client.post(route, data=text[:start] + odd + text[end:], content_type="application/json")

    assert answer.status_code in (200, 201, 400)


ODD = {
    "empty": (b"", "it is empty"),
    "blank": (b" \n", "it is empty"),
    "a list": (b"[]", "must be a JSON object, got list"),
    "a number": (b"7", "must be a JSON object, got int"),
    "a text": (b'"x"', "must be a JSON object, got str"),
    "null": (b"null", "must be a JSON object, got NoneType"),
    "UTF-16": ('{"action": "X"}'.encode("utf-16"), "must be JSON"),
    "UTF-16 without a mark": ('{"action": "X"}'.encode("utf-16-le"), "must be JSON"),
    "a form": (b"action=X&project=1", "must be JSON"),
    "two values": (b'{"action": "X"} {"action": "Y"}', "must be JSON"),
    "cut off": (b'{"action": "X", "annot', "must be JSON"),
    "a compressed body": (gzip.compress(b'{"action": "X"}'), "must be JSON"),
    "a deep list": (b"[" * 100_000, "must be JSON"),
    "a deep object": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, ""),
}  # fmt: skip


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(("body", "sentence"), ODD.values(), ids=ODD)
def test_what_is_no_request_is_one_sentence(client, route, body, sentence):
    answer = client.post(route, data=body, content_type="application/json")

    assert answer.status_code == 400
    assert sentence in get_sentence(answer)


JSON_TYPE = "application/json"


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("headers", [
    {"Content-Encoding": "gzip"}, {"Content-Encoding": "br"},
    {"Content-Type": f"{JSON_TYPE}; charset=utf-16"}, {"Content-Type": f'{JSON_TYPE}; charset="latin-1"'},
])  # fmt: skip
def test_a_body_that_is_compressed_or_in_another_charset_is_refused(client, route, headers):
    answer = client.post(route, data=b"{}", headers={"Content-Type": "application/json"} | headers)

    assert answer.status_code == 415
    assert get_sentence(answer).startswith("a body must")


class _Endless(io.RawIOBase):
    """A body of which no byte may be read."""

    def readinto(self, buffer):
        raise AssertionError("a body above the limit was read")

    def readable(self):
        return True


@pytest.mark.parametrize("route", ROUTES)
def test_a_body_above_the_limit_is_refused_before_it_is_read(client, route):
    environ = {"CONTENT_LENGTH": str(MAX_BODY_BYTES + 1), "wsgi.input": _Endless()}
    answer = client.post(route, content_type="application/json", environ_overrides=environ)

    assert answer.status_code == 413
    assert get_sentence(answer)


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("length", ["5", "100000", "-1", "x"])
def test_a_length_that_is_not_that_of_the_body_is_one_sentence(client, route, length):
    environ = {"CONTENT_LENGTH": length, "wsgi.input": io.BytesIO(b'{"action": "X"}')}
    answer = client.post(route, content_type="application/json", environ_overrides=environ)

    assert answer.status_code == 400
    assert get_sentence(answer)


@pytest.mark.parametrize("route", ROUTES)
def test_of_a_name_that_comes_twice_the_last_value_counts(client, gate, route):
    """As in JavaScript and Python."""
    gate.opened.set()
    first = json.dumps(ASKED | {"project": [], "action": 7, "tasks": 7}).encode()

    answer = client.post(
        route, data=first[:-1] + b", " + json.dumps(ASKED).encode()[1:], content_type="application/json"
    )

    assert answer.status_code in (200, 201)


BAD_VALUES = (
    b'"\\ud83d"', b"NaN", b"Infinity", b"-Infinity", b'"\\u0000"', b'"\x00"', b'"\xff"', b"1e999",
    b"9" * 5000, b"[" * 900 + b"]" * 900,
)  # fmt: skip


@pytest.mark.parametrize("bad", BAD_VALUES, ids=range(len(BAD_VALUES)))
def test_a_decision_is_not_lost_because_of_another_field(client, recording, database, gate, bad):
    """What one field holds is replaced, and the answer counts."""
    text = json.dumps(event([box(10)], note="BAD")).encode().replace(b'"BAD"', bad)

    assert client.post("/webhook", data=text, content_type="application/json").status_code == 201
    while recording.process_events():
        pass

    with database.begin() as session:
        assert count_events(session) == {"new": 0, "done": 1, "failed": 0}


@pytest.mark.parametrize(
    "lead_time",
    ["1e308", "1e999", "Infinity", "NaN", "-1", "true", '"5"', "null", "31622401", "[]", "9" * 400],
)
def test_a_lead_time_that_is_none_is_unknown_and_the_answer_counts(client, recording, database, lead_time):
    text = json.dumps(event([box(10)], lead_time="BAD")).replace('"BAD"', lead_time)

    assert client.post("/webhook", data=text, content_type="application/json").status_code == 201
    while recording.process_events():
        pass

    with database.begin() as session:
        (decision,) = read_decisions(session)
    assert decision.correction.annotation.lead_time_s is None
