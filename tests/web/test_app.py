import base64
import json
from itertools import count

import pytest
from sqlalchemy import select

from ris import label_config
from ris.errors import BackendError, ImageUnreadable, InputError, LabelStudioError, NotReady, StoreError
from ris.labelstudio.api.connecting import make_webhook_token
from ris.service.webhook_access import ProjectTokens
from ris.store.schema import EventRow, ProjectRow, WebhookTokenRow
from ris.web.app import MAX_BODY_BYTES, create_app

ROUTES = [
    ("GET", "/versions"), ("GET", "/metrics"), ("GET", "/health/ready"), ("GET", "/openapi.json"),
    ("GET", "/"), ("POST", "/setup"), ("POST", "/predict"),
    ("POST", "/webhook"),
]  # fmt: skip


@pytest.fixture
def guarded(backend):
    return create_app(backend, basic_auth=("ris", "pass:word")).test_client()


def header(user, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


@pytest.mark.parametrize(("method", "route"), ROUTES)
@pytest.mark.parametrize(
    "headers", [{}, header("ris", "wrong"), header("other", "pass:word"), {"Authorization": "x"}]
)
def test_every_route_but_health_asks_for_the_password(guarded, method, route, headers):
    answer = guarded.open(route, method=method, headers=headers, json={} if method == "POST" else None)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="ris"'


def test_who_knows_the_password_comes_in(guarded):
    assert guarded.get("/versions", headers=header("ris", "pass:word")).status_code == 200


def test_a_webhooks_token_opens_the_webhook_and_nothing_else(guarded, database):
    token = {"Authorization": f"Bearer {ProjectTokens(database, 'pass:word').make(3)}"}

    assert guarded.post("/webhook", json={"action": "X"}, headers=token).status_code == 201
    for method, route in ROUTES:
        if route != "/webhook":
            assert guarded.open(route, method=method, headers=token).status_code == 401
    for wrong in ("", make_webhook_token("pass:word"), make_webhook_token("other"), "pass:word"):
        headers = {"Authorization": f"Bearer {wrong}"}
        assert guarded.post("/webhook", json={"action": "X"}, headers=headers).status_code == 401


def test_the_token_of_an_earlier_version_is_accepted_until_its_project_has_a_new_one(guarded, database):
    """Projects 3 and 4 were connected before the upgrade."""
    with database.begin() as session:
        session.add_all([WebhookTokenRow(project=3), WebhookTokenRow(project=4)])
    tokens, n_sent = ProjectTokens(database, "pass:word"), count(1)

    def send(project, token):
        body = {"action": "X", "number": next(n_sent)} | ({"project": {"id": project}} if project else {})
        headers = {"Authorization": f"Bearer {token}"}
        return guarded.post("/webhook", json=body, headers=headers).status_code

    old = make_webhook_token("pass:word")
    assert [send(project, old) for project in (3, 4, None)] == [201, 201, 201]
    new = tokens.make(3)
    assert [send(3, token) for token in (old, new)] == [201, 201]
    tokens.end_older(3, new)
    assert [send(3, token) for token in (old, new)] == [401, 201]
    assert [send(project, old) for project in (4, 5, "4", None)] == [201, 401, 401, 201]
    tokens.end_older(4, tokens.make(4))
    assert [send(project, old) for project in (3, 4, 5, None)] == [401] * 4


def test_in_a_new_database_the_old_token_is_accepted_until_the_first_project_is_connected(guarded, database):
    headers = {"Authorization": f"Bearer {make_webhook_token('pass:word')}"}
    assert guarded.post("/webhook", json={"action": "X"}, headers=headers).status_code == 201

    ProjectTokens(database, "pass:word").make(3)
    assert guarded.post("/webhook", json={"action": "Y"}, headers=headers).status_code == 401


def test_health_is_open_to_everybody(guarded):
    assert guarded.get("/health").status_code == 200


def test_an_unknown_route_is_answered_in_json(client):
    answer = client.get("/nothing")

    assert answer.status_code == 404
    assert "error" in answer.json


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InputError("no"), 400),
        (ImageUnreadable("no"), 422),
        (NotReady("no"), 503),
        (StoreError("no"), 503),
        (LabelStudioError("no"), 500),
        (BackendError("no"), 500),
    ],
)
def test_our_errors_are_their_sentence_and_a_status(backend, error, status):
    app = create_app(backend)

    @app.get("/fail")
    def fail():
        raise error

    answer = app.test_client().get("/fail")

    assert (answer.status_code, answer.json) == (status, {"error": "no"})


def test_a_bug_is_no_traceback_for_the_client_and_one_for_the_log(backend, caplog):
    app = create_app(backend)

    @app.get("/fail")
    def fail():
        raise KeyError("secret detail")

    answer = app.test_client().get("/fail")

    assert answer.status_code == 500
    assert "secret detail" not in answer.get_data(as_text=True)
    assert answer.headers["X-Request-Id"] in answer.json["error"]
    assert "KeyError" in caplog.text


def test_bodies_may_be_as_large_as_label_studio_sends_them(client):
    assert client.application.config["MAX_CONTENT_LENGTH"] == MAX_BODY_BYTES == 250 * 2**20


def test_the_log_has_a_line_a_request_and_never_a_body(client, caplog):
    caplog.set_level("INFO")

    client.post("/webhook", json={"action": "X", "expression": "very private words"})

    assert "POST /webhook 201" in caplog.text
    assert "very private words" not in caplog.text


def test_an_error_answer_holds_no_secret(backend, monkeypatch):
    def fail(*_):
        raise StoreError("no https://u:S3cr3tV4lue@h/ with X-Api-Key: S3cr3tV4lue, \x1b[2J")

    monkeypatch.setattr("ris.web.handlers.record_event", fail)

    answer = create_app(backend).test_client().post("/webhook", json={"action": "x"})

    assert answer.status_code == 503
    assert answer.json == {"error": "no https://***@h/ with X-Api-Key: ***, \\x1b[2J"}


def test_the_secrets_of_a_setup_and_of_a_webhook_do_not_reach_the_database(backend):
    secret, config = "S3cr3tV4lue", label_config.read("tabs_brush.xml")
    extra = json.dumps({"client_secret": secret})
    client = create_app(backend).test_client()
    body = {"project": "1.2", "schema": config, "extra_params": {"X-Api-Key": secret, "a": [extra], "n": 3}}

    assert client.post("/setup", json=body).status_code == 200
    assert client.post("/webhook", json={"action": "PROJECT_UPDATED", "project": body}).status_code == 201

    with backend.suggesting.database.begin() as session:
        project = session.get_one(ProjectRow, "1.2")
        event = session.scalars(select(EventRow)).one()
        shown = {"X-Api-Key": "***", "a": ['{"client_secret": "***"}'], "n": 3}
        assert project.extra_params == shown
        assert event.body["project"]["extra_params"] == shown
        assert project.label_config == config
