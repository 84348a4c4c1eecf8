from types import SimpleNamespace

import pytest

from ris.labelstudio.api.webhooks import find_webhook_faults, mend_webhooks

URL = "http://127.0.0.1:9090"
HEADERS = {"Authorization": "Bearer secret"}
HOOK = {
    "id": 5, "url": f"{URL}/webhook", "is_active": True, "send_payload": True, "send_for_all_actions": True,
    "headers": {"X-Team": "a", **HEADERS},
}  # fmt: skip

FAULTS = [
    ({"is_active": False}, "it is switched off"),
    (
        {"is_active": False, "consecutive_failures": 50},
        "it is switched off after 50 failed deliveries in a row",
    ),
    ({"send_payload": None}, "it sends no payload"),
    ({"send_for_all_actions": False, "actions": ["TASKS_DELETED"]}, "it is not sent for all actions"),
    ({"headers": {"X-Team": "a"}}, "it lacks the password that our server asks for"),
]


def studio(hooks, backends=({"id": 1, "url": URL, "title": "ris"},)):
    patched = {}

    def call(method, path, body=None, **params):
        if method == "PATCH":
            patched[path] = body
            return body
        return {"/api/ml": list(backends), "/api/webhooks/": list(hooks)}[path]

    return SimpleNamespace(call=call, patched=patched)


@pytest.mark.parametrize(("wrong", "words"), FAULTS)
def test_each_fault_is_told_and_mended_and_other_headers_stay(wrong, words):
    there = studio([{**HOOK, **wrong}])

    assert mend_webhooks(there, 3, HEADERS) == words
    ((path, body),) = there.patched.items()
    assert path == "/api/webhooks/5/"
    assert find_webhook_faults({**HOOK, **body}, HEADERS) == []
    assert body["headers"] == HOOK["headers"]


def test_a_webhook_as_it_must_be_is_left_alone():
    there = studio([HOOK])

    assert (mend_webhooks(there, 3, HEADERS), there.patched) == ("", {})


def test_webhooks_of_others_are_left_alone():
    off = {**HOOK, "is_active": False}
    others = ({"id": 1, "url": URL, "title": "detector"}, {"id": 2, "url": "http://a.b", "title": "ris"})

    assert mend_webhooks(studio([{**off, "url": "http://elsewhere.org/webhook"}]), 3, HEADERS) == ""
    assert mend_webhooks(studio([off], others), 3, HEADERS) == ""
    assert mend_webhooks(studio([off], ()), 3, HEADERS) == ""


def test_the_only_backend_is_ours_whatever_it_is_called():
    there = studio([{**HOOK, "is_active": False}], ({"id": 1, "url": f"{URL}/", "title": "mine"},))

    assert mend_webhooks(there, 3, {}) == "it is switched off"
