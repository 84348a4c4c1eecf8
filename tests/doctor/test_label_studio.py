"""Each check passes over a fake Label Studio, and fails when one thing in it is broken."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest

from ris.doctor.label_studio import (
    check_label_studio,
    check_predictions,
    check_project,
)
from ris.errors import LabelStudioError
from ris.label_config import read
from ris.labelstudio.api.connecting import MLBackend, make_webhook_token
from ris.service.webhook_access import ProjectTokens
from ris.store.webhook_tokens import add_webhook_token
from tests.labelstudio.predictions import PredictionStore

NOW = datetime(2026, 1, 2, tzinfo=UTC)
OURS = MLBackend("http://127.0.0.1:9090", "ris", "open")
LEGACY = "0123456789abcdef0123456789abcdef01234567"


SMART = read("pick_brush_smart.xml")


def token(days):
    claims = json.dumps({"exp": int((NOW + timedelta(days=days)).timestamp())}).encode()
    return f"x.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.y"


class Studio:
    """A connected project; its webhooks arrive if `delivers`."""

    def __init__(self):
        self.project = {"id": 3, "title": "mugs", "label_config": read("pick_brush.xml")}
        self.backends = [{"id": 1, "url": OURS.url, "state": "CO", "is_interactive": False}]
        self.hooks = [
            {"id": 1, "url": f"{OURS.url}/webhook", "is_active": True, "send_payload": True,
             "send_for_all_actions": True, "headers": {"Authorization": "Bearer secret"}}
        ]  # fmt: skip
        self.tasks = [{"id": 1, "project": 3, "data": {"image": "/a.png", "expression": "the mug"}}]
        self.refuses, self.time, self.arrived, self.delivers = set(), NOW, 5, True

    def call(self, method, path, body=None, **params):
        if path in self.refuses:
            raise LabelStudioError(f"Label Studio answered 401 to {method} {path}")
        if method == "PATCH":
            assert body == {"title": "mugs"}
            self.arrived += self.delivers
            return self.project
        return {
            "/api/version": {"release": "1.23.2"}, "/api/current-user/whoami": {"email": "a@example.com"},
            "/api/projects/3": self.project, "/api/ml": self.backends, "/api/webhooks/": self.hooks,
            "/api/tasks": {"tasks": self.tasks, "total": len(self.tasks)},
        }[path]  # fmt: skip

    def read_server_time(self):
        return self.time


@pytest.fixture
def studio(database):
    """Project 3 has the token "secret" for its webhook."""
    with database.begin() as session:
        add_webhook_token(session, 3, "secret")
    studio = Studio()
    studio.tokens = ProjectTokens(database, "open")
    return studio


def run(studio, key=LEGACY):
    checks = check_label_studio(studio, key, NOW)
    found = check_project(studio, 3, OURS, lambda: studio.arrived, studio.tokens)
    return {c.name: c for c in checks + found}


def test_a_chain_that_holds_is_said_link_by_link(studio):
    found = run(studio)

    assert [name for name, check in found.items() if not check.is_ok] == []
    assert list(found) == [
        "Label Studio", "key", "clock", "label config", "tasks", "ML backend", "predictions",
        "webhook", "delivery",
    ]  # fmt: skip
    assert found["key"].message == "a legacy token of a@example.com"


def test_what_is_asked_is_said(studio):
    assert run(studio)["label config"].message == (
        "brushlabels 'mask', presentation pick, image $image, expression $expression"
    )
    assert run(studio)["tasks"].message == "the first 1 can be predicted"
    studio.tasks.clear()
    assert run(studio)["tasks"].message == "none yet"


def test_tasks_that_lack_what_the_label_config_shows_are_named(studio):
    studio.tasks += [{"id": 2, "data": {"image": "/a.png", "phrase": "it"}}, {"id": 3, "data": {"image": 7}}]

    found = run(studio)["tasks"]

    assert (found.is_ok, found.message) == (
        False,
        "2 of the first 3 cannot be predicted: "
        'task 2 has no text under data["expression"]; keys: image, phrase',
    )


@pytest.mark.parametrize(
    ("tags", "says"),
    [
        ('<Repeater on="$pages"/>', "has a <Repeater>"),
        ('<Image name="image" valueList="$images"/><Header value="$expression"/>', "has valueList"),
        (
            '<Image name="image" value="$image"/><Header value="$title $text"/>',
            r"$title (<Header>) and $text",
        ),
        ('<Image name="image" value="$image"/><Header value="[$phrase]"/>', 'annotators see "undefined"'),
    ],
)
def test_a_label_config_that_cannot_be_answered_says_what_to_change(studio, tags, says):
    brush = '<BrushLabels name="mask" toName="image"><Label value="It"/></BrushLabels>'
    studio.project["label_config"] = f"<View>{tags}{brush}</View>"

    found = run(studio)["label config"]

    assert not found.is_ok
    assert says in found.message


def set_in(thing, **values):
    return lambda studio: getattr(studio, thing)[0].update(values)


BROKEN = {
    "not connected": (lambda s: s.backends.clear(), "ML backend", "not connected: run `ris connect"),
    "connected twice": (lambda s: s.backends.append(s.backends[0]), "ML backend", "connected 2 times"),
    "unreachable": (set_in("backends", state="ER"), "ML backend", "ML_BLOCK_LOCAL_IP=false"),
    "clicks off": (
        lambda s: s.project.update(label_config=SMART), "ML backend", "preannotations are off",
    ),
    "none shown": (
        lambda s: s.project.update(show_collab_predictions=False), "predictions", "does not show predictions",
    ),
    "others shown": (
        lambda s: s.project.update(model_version="old"), "predictions", "shows only those of 'old'",
    ),
    "no webhook": (lambda s: s.hooks.clear(), "webhook", "SSRF_PROTECTION_ENABLED=false"),
    "switched off": (set_in("hooks", is_active=False), "webhook", "switched off"),
    "no payload": (set_in("hooks", send_payload=False), "webhook", "no payload"),
    "some actions": (set_in("hooks", send_for_all_actions=False), "webhook", "not sent for all actions"),
    "no token": (set_in("hooks", headers={}), "webhook", "lacks the token"),
    "old token": (
        set_in("hooks", headers={"Authorization": f"Bearer {make_webhook_token('open')}"}),
        "webhook",
        "has the token of an earlier version, which was computed from the password",
    ),
    "lost on the way": (lambda s: setattr(s, "delivers", False), "delivery", "fetches lost decisions"),
    "server silent": (lambda s: setattr(s, "arrived", None), "delivery", "start `ris serve`"),
    "label config": (lambda s: s.project.update(label_config="<View/>"), "label config", "has no <Image"),
    "project": (lambda s: s.refuses.add("/api/projects/3"), "project", "may this user see it?"),
    "key": (lambda s: s.refuses.add("/api/current-user/whoami"), "key", "must be allowed"),
    "down": (lambda s: s.refuses.add("/api/version"), "Label Studio", "check RIS_LABEL_STUDIO_URL"),
    "clock": (lambda s: setattr(s, "time", NOW + timedelta(minutes=5)), "clock", "300 s apart"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_every_broken_link_is_found_and_says_what_to_change(studio, name):
    break_it, what, pattern = BROKEN[name]
    break_it(studio)
    if name == "server silent":
        found = {c.name: c for c in check_project(studio, 3, OURS, lambda: None)}
    else:
        found = run(studio)

    assert not found[what].is_ok
    assert pattern in found[what].message


@pytest.mark.parametrize(
    ("key", "holds", "pattern"),
    [
        ("", False, "RIS_LABEL_STUDIO_API_KEY is not set"),
        (token(100), True, "a personal access token of a@example.com, valid until 2026-04-12"),
        (token(2), False, "expires on 2026-01-04; make a new one"),
    ],
)
def test_the_key_is_told_by_its_kind_and_its_end(studio, key, holds, pattern):
    check = run(studio, key)["key"]

    assert check.is_ok is holds
    assert pattern in check.message


def test_duplicate_predictions_are_counted_with_the_first_tasks():
    studio = PredictionStore(range(1, 9))
    region = [{"id": "risabc-0"}]
    for task in range(1, 9):
        for _ in range(2):
            studio.store({"task": task, "result": region, "model_version": "v1"})
    studio.drafts.add(1)

    check = check_predictions(studio, 1, more_than=1)
    studio.predictions.clear()

    assert (check.is_ok, check.message) == (
        False,
        "8 surplus in 8 tasks (1, 2, 3, 4, 5, ...): run `ris sync --project 1`; "
        "1 of the tasks have a draft and must be submitted first",
    )
    assert check_predictions(studio, 1, more_than=1).is_ok
