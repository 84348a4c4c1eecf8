"""Secrets in JSON, at any depth and in any place."""

import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ris.redaction.json_values import redact_json, redact_task_data

S = "S3cr3tV4lue"


@pytest.mark.parametrize(
    ("given_value", "clean"),
    [
        ({"X-Api-Key": S, "a": 1}, {"X-Api-Key": "***", "a": 1}),
        ({"password": 12345, "token": None, "secret": True}, {"password": 0, "token": None, "secret": True}),
        ({"credentials": {"a": [S, 1.5]}}, {"credentials": {"a": ["***", 0.0]}}),
        ({"a": json.dumps({"jwt": S})}, {"a": '{"jwt": "***"}'}),
        (json.dumps(json.dumps([{"b": json.dumps({"pwd": S})}])), None),
        ({"headers": [["X-Api-Key", S]]}, {"headers": [["X-Api-Key", "***"]]}),
        ({"name": "Authorization", "value": f"Token {S}"}, {"name": "Authorization", "value": "***"}),
        ({"webhook": f"https://u:p@h/?token={S}"}, {"webhook": "https://***@h/?token=***"}),
        (f'{{"token": "{S}", "token": null}}', '{"token": "***", "token": null}'),
        ({"http_proxy": f"user:{S}@proxy:3128"}, {"http_proxy": "***@proxy:3128"}),
        ({f"http://u:{S}@h": 1}, {"http://***@h": 1}),
    ],
)
def test_a_secret_is_replaced(given_value, clean):
    shown = redact_json(given_value)

    assert S not in json.dumps(shown)
    if clean is not None:
        assert shown == clean


@pytest.mark.parametrize(
    "value",
    [
        {"expression": "the token on the board"}, {"choices": ["token", "key"]}, {"brushlabels": ["secret"]},
        {"key": "red", "tokens": [1, 2]}, ["Cookie", "Milk"], {"name": "token", "value": {"x": 1.5}},
        {"image": "/data/upload/1/a@2x.png"}, {"rle": list(range(300))}, '{"a":  1.10}', "[not json",
        '"a text"',
    ],
)  # fmt: skip
def test_what_is_no_secret_stays(value):
    assert redact_json(value) == value


SECRET_KEYS = st.sampled_from(
    [
        "client_secret",
        "private_key",
        "aws_secret_access_key",
        "X-Api-Key",
        "Password",
        "TOKEN",
        "refresh",
        "jwt",
    ]
)
PLAIN_KEYS = st.sampled_from(["expression", "image", "key", "label", "value", "id"])
LEAVES = st.none() | st.booleans() | st.integers() | st.text(string.ascii_letters + " ", max_size=12)
TREES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(PLAIN_KEYS, inner, max_size=3)
)


@given(TREES)
def test_json_without_secrets_stays_equal(tree):
    assert redact_json(tree) == tree


@st.composite
def wrap(draw, secret):
    """JSON with a secret in one of the known places, and the same JSON as it must be shown."""
    place = draw(st.sampled_from(["field", "address", "parameter", "text"]))
    made = {
        "field": {draw(SECRET_KEYS): secret},
        "address": f"https://u:{secret}@h/a",
        "parameter": f"https://h/a?X-Amz-Signature={secret}",
        "text": json.dumps({draw(SECRET_KEYS): secret}),
    }[place]
    for _ in range(draw(st.integers(0, 4))):
        made = draw(
            st.sampled_from([[draw(TREES), made], {draw(PLAIN_KEYS): made}, json.dumps([made])])
        )  # fmt: skip
    return made


@given(st.data(), st.text(string.ascii_letters + string.digits, min_size=10, max_size=20).map("Q0".__add__))
def test_no_body_shows_its_secret_and_twice_is_once(data, secret):
    body = data.draw(wrap(secret))

    clean = redact_json(body)

    assert secret not in json.dumps(clean)
    assert redact_json(clean) == clean
    assert shape(clean) == shape(body)


def shape(value):
    if isinstance(value, dict):
        return {key: shape(one) for key, one in value.items()}
    if isinstance(value, list):
        return [shape(one) for one in value]
    return type(value)


def test_the_address_of_a_tasks_image_keeps_its_signature_and_loses_its_user():
    data = {
        "image": f"https://h/a.png?X-Amz-Signature={S}", "mirror": "https://u:p@h/a?sig=b",
        "note": f"see https://h/?token={S}", "api_key": S,
    }  # fmt: skip

    assert redact_task_data(data) == {
        "image": f"https://h/a.png?X-Amz-Signature={S}", "mirror": "https://***@h/a?sig=b",
        "note": "see https://h/?token=***", "api_key": "***",
    }  # fmt: skip
