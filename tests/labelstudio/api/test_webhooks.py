from types import SimpleNamespace

import pytest

from ris.errors import LabelStudioError
from ris.labelstudio.api.connecting import make_webhook_token
from ris.labelstudio.api.webhooks import find_webhook_faults, mend_webhooks
from ris.service.webhook_access import ProjectTokens
from ris.store.webhook_tokens import add_webhook_token

URL = "http://127.0.0.1:9090"
HEADERS = {"Authorization": "Bearer secret"}
MISSING = "it lacks the token that our server asks for"
COMPUTED = "it has the token of an earlier version, which was computed from the password"
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
    ({"headers": {"X-Team": "a"}}, MISSING),
    ({"headers": {"X-Team": "a", "Authorization": "Basic cmlzOm9wZW4="}}, MISSING),
    ({"headers": {"X-Team": "a", "authorization": "Bearer another"}}, MISSING),
    ({"headers": {"X-Team": "a", "Authorization": f"Bearer {make_webhook_token('open')}"}}, COMPUTED),
]


@pytest.fixture
def tokens(database):
    """The tokens of a server with the password "open"; project 3 has the token "secret"."""
    with database.begin() as session:
        add_webhook_token(session, 3, "secret")
    return ProjectTokens(database, "open")


def studio(hooks, backends=({"id": 1, "url": URL, "title": "ris"},)):
    patched, created = {}, []

    def call(method, path, body=None, **params):
        if method == "POST":
            created.append(body)
            return body
        if method == "PATCH":
            patched[path] = body
            return body
        return {"/api/ml": list(backends), "/api/webhooks/": list(hooks)}[path]

    return SimpleNamespace(call=call, patched=patched, created=created)


@pytest.mark.parametrize(("wrong", "words"), FAULTS)
def test_each_fault_is_told_and_mended_and_other_headers_stay(tokens, wrong, words):
    there = studio([{**HOOK, **wrong}])

    assert mend_webhooks(there, 3, tokens) == words
    ((path, body),) = there.patched.items()
    assert path == "/api/webhooks/5/"
    assert find_webhook_faults({**HOOK, **body}, 3, tokens) == []
    assert (body["headers"].keys(), body["headers"]["X-Team"]) == (HOOK["headers"].keys(), "a")
    assert (body["headers"] == HOOK["headers"]) == (words not in (MISSING, COMPUTED))


def test_a_webhook_as_it_must_be_is_left_alone(tokens):
    there = studio([HOOK])

    assert (mend_webhooks(there, 3, tokens), there.patched) == ("", {})


def test_webhooks_of_others_are_left_alone(tokens):
    off = {**HOOK, "is_active": False}
    others = ({"id": 1, "url": URL, "title": "detector"}, {"id": 2, "url": "http://a.b", "title": "ris"})

    elsewhere = studio([{**off, "url": "http://elsewhere.org/webhook"}, HOOK])
    assert (mend_webhooks(elsewhere, 3, tokens), elsewhere.patched) == ("", {})
    assert mend_webhooks(studio([off], others[:1] * 2), 3, tokens) == ""
    assert mend_webhooks(studio([off], ()), 3, tokens) == ""


@pytest.mark.parametrize("left", [[], [{**HOOK, "url": f"{URL}/events"}]], ids=["deleted", "moved"])
def test_a_webhook_that_is_missing_is_created_where_ris_connect_made_the_backend(tokens, left):
    there = studio(left)

    assert mend_webhooks(there, 3, tokens) == "it was deleted, or its address was changed"
    (created,) = there.created
    assert created["url"] == f"{URL}/webhook"
    assert find_webhook_faults(created, 3, tokens) == []


def test_a_backend_that_somebody_else_added_gets_no_webhook(tokens):
    there = studio([], ({"id": 1, "url": URL, "title": "mine"},))

    assert (mend_webhooks(there, 3, tokens), there.created) == ("", [])


def test_the_only_backend_is_ours_whatever_it_is_called():
    there = studio([{**HOOK, "is_active": False}], ({"id": 1, "url": f"{URL}/", "title": "mine"},))

    assert mend_webhooks(there, 3, None) == "it is switched off"


def test_the_old_token_is_accepted_until_label_studio_has_the_new_one(tokens):
    there = studio([{**HOOK, "headers": {"Authorization": "Bearer unknown"}}])
    call = there.call

    def refuse(method, path, body=None, **params):
        if method == "PATCH":
            raise LabelStudioError("it does not answer")
        return call(method, path, body, **params)

    there.call = refuse
    with pytest.raises(LabelStudioError):
        mend_webhooks(there, 3, tokens)
    assert tokens.is_current(3, "secret")

    there.call = call
    assert mend_webhooks(there, 3, tokens) == MISSING
    assert not tokens.is_current(3, "secret")
    assert tokens.is_current(3, there.patched["/api/webhooks/5/"]["headers"]["Authorization"].split()[1])


def test_all_our_webhooks_of_a_project_get_one_token(tokens):
    other = {**HOOK, "id": 6, "headers": {"Authorization": "Bearer unknown"}}
    there = studio([other, HOOK])

    assert mend_webhooks(there, 3, tokens) == MISSING
    assert there.patched["/api/webhooks/6/"]["headers"] == HEADERS
    assert tokens.is_current(3, "secret")
