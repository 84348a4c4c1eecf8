"""Whatever a Label Studio answers, a command ends with its work done or with one sentence, and soon."""

import gzip
import json
from contextlib import suppress
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from ris.cli import root_app
from ris.core.types import Task
from ris.doctor.label_studio import check_label_studio, check_predictions, check_project
from ris.errors import BackendError
from ris.labelstudio.api.connecting import connect_project
from ris.labelstudio.api.listing import fetch_tasks
from ris.labelstudio.api.pushing import Parcel, PredictionWriter
from ris.labelstudio.api.sync import fetch_annotation_states, read_project
from ris.labelstudio.api.webhooks import mend_webhooks
from ris.labelstudio.config.control import read_controls
from ris.service.tidying import tidy_project
from ris.store.session import upgrade_database
from tests.builders.alternatives import OFFERS
from tests.builders.services import NOW
from tests.labelstudio.small_studio import (
    BACKEND,
    HOOK,
    MOMENT,
    N_TASKS,
    OURS,
    PREDICTION,
    PROJECT,
    OddStudio,
    SmallStudio,
    make_task,
)
from tests.labelstudio.studio import LEGACY

TOKENS = SimpleNamespace(
    make=lambda project: "new", is_current=lambda project, token: token == "x",
    is_computed=lambda token: token == "old", end_older=lambda project, token: None,
)  # fmt: skip

MAX_CALLS = 40  # of one command over a small project

COMMANDS = {
    "sync": ["sync", "--project", "3"],
    "doctor": ["doctor", "--project", "3", "--backend", OURS.url],
    "connect": ["connect", "--project", "3", "--backend", OURS.url],
    "samples": ["connect", "--project", "3", "--backend", OURS.url, "--samples", "1"],
    "tidy": ["tidy", "--project", "3"],
    "import": ["import", "t.jsonl", "--project", "3", "--prefix", "/data/upload/3/"],
}


@pytest.fixture(scope="module")
def empty_database(tmp_path_factory):
    file = tmp_path_factory.mktemp("database") / "ris.db"
    upgrade_database(f"sqlite:///{file}")
    return file.read_bytes()


@pytest.fixture
def run(tmp_path, monkeypatch, empty_database):
    """Run a command in a folder of its own against a Label Studio."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ris.db").write_bytes(empty_database)
    (tmp_path / "t.jsonl").write_text('{"image": "new.png", "expression": "the new mug"}\n')
    monkeypatch.setenv("RIS_DATABASE_URL", f"sqlite:///{tmp_path}/ris.db")
    monkeypatch.setenv("RIS_LABEL_STUDIO_API_KEY", LEGACY)

    def run_command(name, send):
        studio = OddStudio(send)
        monkeypatch.setenv("RIS_LABEL_STUDIO_URL", studio.url)
        try:
            return CliRunner().invoke(root_app, COMMANDS[name]), studio.calls
        finally:
            studio.shutdown()
            studio.server_close()

    return run_command


def is_sentence(error):
    """Tell whether `ris` prints an error as one sentence; `ris.__main__` does so with these."""
    return isinstance(error, BackendError) and 0 < len(str(error)) < 700 and "\n" not in str(error)


def send_body(body, **headers):
    return lambda handler: handler.answer(200, body, **headers)


def send_status(status, body="<html>no</html>", **headers):
    return lambda handler: handler.answer(status, body, **headers)


def break_off(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", "5000")
    handler.end_headers()
    handler.wfile.write(b'{"id": 3')


ODD_RESPONSES = {
    "HTML": send_body("<html>log in</html>"),
    "null": send_body("null"),
    "an empty list": send_body("[]"),
    "an empty object": send_body("{}"),
    "a list of null": send_body("[null]"),
    "an empty body": send_body(""),
    "spaces": send_body("  \n"),
    "a text": send_body('"ok"'),
    "a number": send_body("5"),
    "true": send_body("true"),
    "200 with an error": send_body('{"detail": "Authentication credentials were not provided."}'),
    "200 with 500": send_body('{"status_code": 500, "detail": "boom"}'),
    "truncated JSON": send_body('{"id": 3, "tas'),
    "a broken connection": break_off,
    "no UTF-8": send_body(b'{"id": "\xff\xfe"}'),
    "UTF-16": send_body('{"id": 3}'.encode("utf-16")),
    "endless depth": send_body("[" * 100_000 + "]" * 100_000),
    "a number of 5000 digits": send_body('{"id": ' + "9" * 5000 + "}"),
    "NaN": send_body('{"id": NaN, "total": Infinity}'),
    "gzip that is none": send_body("{}", Content_Encoding="gzip"),
    "an unknown encoding": send_body("{}", Content_Encoding="br"),
    "204": send_status(204, ""),
    "304": send_status(304, ""),
    "201 with HTML": send_status(201),
    "302 in a circle": lambda handler: handler.answer(302, "", Location=handler.path),
    "302 to no address": send_status(302, "", Location="http://["),
    "302 to no scheme": send_status(302, "", Location="xn--a::1"),
    "302 without a place": send_status(302, ""),
    "400": send_status(400, '{"detail": "no"}'),
    "403 in HTML": send_status(403),
    "404 in HTML": send_status(404),
    "404": send_status(404, '{"detail": "Not found."}'),
    "404 with a list": send_status(404, "[]"),
    "409": send_status(409, "{}"),
    "429": send_status(429, "slow down"),
    "500 in HTML": send_status(500),
    "502 empty": send_status(502, ""),
    "a status beyond all": send_status(799, "{}"),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_sane_label_studio_makes_every_command_work(run, command):
    ran, calls = run(command, lambda *_: False)

    assert ran.exit_code == 0 or "checks failed" in str(ran.exception), ran.exception
    assert 2 <= len(calls) <= MAX_CALLS


@pytest.mark.parametrize("odd", ODD_RESPONSES)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_label_studio_that_answers_everything_so_is_one_sentence(run, command, odd):
    def send(handler, call, params, sane):
        ODD_RESPONSES[odd](handler)
        return True

    ran, calls = run(command, send)

    assert ran.exit_code == 1, ran.output
    assert is_sentence(ran.exception), repr(ran.exception)
    assert len(calls) <= MAX_CALLS


def page(**changes):
    return lambda params, sane: sane | changes


def edit(path, value):
    """Replace the value at a path of keys of the first task or entry."""

    def change(params, sane):
        at = sane
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = value
        return sane

    return change


ODD_IDS = ["7", 7.5, -1, 2**40, True, None, [], {}]
ODD_TIMES = ["", 5, None, "9999-99-99", "0001-01-01T00:00:00+23:00", "\x00", "1e400"]
ODD_TASKS = {
    "the same page for ever": lambda params, sane: {
        "tasks": [make_task(1 + i) for i in range(100)],
        "total": 900,
    },
    "one task a page": lambda params, sane: {"tasks": [make_task(int(params["page"]))], "total": 10**6},
    "empty pages": page(tasks=[]),
    "no list": page(tasks={"1": make_task(1)}),
    "a bare list, as Label Studio 1.4": lambda params, sane: sane["tasks"],
    "tasks that are none": page(tasks=[None, 5, "x", []]),
    **{
        f"the total {total!r}": page(total=total)
        for total in (-1, "130", 1.5, True, None, 0, 10**9, 2**70, [])
    },
    **{f"a task's id {n!r}": edit(("tasks", 0, "id"), n) for n in ODD_IDS},
    **{f"an annotation's id {n!r}": edit(("tasks", 0, "annotations", 0, "id"), n) for n in ODD_IDS},
    **{f"the time {t!r}": edit(("tasks", 0, "annotations", 0, "updated_at"), t) for t in ODD_TIMES},
    "annotations in a text": edit(("tasks", 0, "annotations"), "[]"),
    "annotations of nothing": edit(("tasks", 0, "annotations"), [None]),
    "data in a list": edit(("tasks", 0, "data"), [1]),
}


@pytest.mark.parametrize("odd", ODD_TASKS)
def test_an_odd_listing_of_tasks_is_one_sentence_and_what_was_good_is_recorded(run, odd):
    def send(handler, call, params, sane):
        if call == "GET /api/tasks":
            handler.answer(200, json.dumps(ODD_TASKS[odd](params, sane)))
        return call == "GET /api/tasks"

    ran, calls = run("sync", send)

    assert ran.exit_code == 1, ran.output
    assert is_sentence(ran.exception), repr(ran.exception)
    assert len(calls) <= MAX_CALLS


def test_a_listing_that_ignores_where_it_is_to_start_ends_in_one_sentence(run):
    def send(handler, call, params, sane):
        if call == "GET /api/tasks":
            tasks = [{**make_task(100 + i), "updated_at": MOMENT} for i in range(100)]
            handler.answer(200, json.dumps({"tasks": tasks, "total": 1000}))
        return call == "GET /api/tasks"

    ran, calls = run("sync", send)

    assert is_sentence(ran.exception)
    assert "does not list the tasks of project 3 in the order that was asked for" in str(ran.exception)
    assert calls.count("GET /api/tasks") == 5


def test_a_gzip_bomb_is_left_at_the_limit(run, monkeypatch):
    monkeypatch.setattr("ris.labelstudio.api.client.MAX_ANSWER_BYTES", 2**20)
    bomb = gzip.compress(bytes(2**26))

    ran, calls = run("sync", lambda handler, *_: handler.answer(200, bomb, Content_Encoding="gzip") or True)

    assert "its answer has more than 1 MiB" in str(ran.exception)
    assert len(calls) == 1


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from([3, 1, "3"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
CALLS = [
    "GET /api/version", "GET /api/current-user/whoami", "GET /api/projects/3", "GET /api/ml",
    "GET /api/webhooks/", "GET /api/predictions", "GET /api/tasks",
]  # fmt: skip
CONTROLS = read_controls(PROJECT["label_config"])
PARCEL = Parcel(Task(1, "3.1700000000", "/a", "mug"), OFFERS)
USES = [
    lambda api: connect_project(api, 3, OURS),
    lambda api: check_label_studio(api, LEGACY, NOW),
    lambda api: check_project(api, 3, OURS, lambda: 5),
    lambda api: check_predictions(api, 3, more_than=1),
    lambda api: list(fetch_annotation_states(api, read_project(api, 3))),
    lambda api: list(fetch_tasks(api, 3)),
    lambda api: mend_webhooks(api, 3, TOKENS),
    lambda api: list(tidy_project(api, 3, dry_run=False)),
    lambda api: PredictionWriter(api).push_all(3, [PARCEL], CONTROLS, "v"),
    lambda api: PredictionWriter(api).is_stored(PARCEL, CONTROLS, "v"),
    lambda api: PredictionWriter(api).can_reach("3.1700000000"),
    lambda api: PredictionWriter(api).show_version(3, "v"),
]


@st.composite
def places(draw, value, depth=0):
    """Draw a path into a JSON value: keys and indices."""
    if depth == 5 or not isinstance(value, dict | list) or not value or (depth and draw(st.booleans())):
        return ()
    key = draw(st.sampled_from(sorted(value) if isinstance(value, dict) else range(min(len(value), 3))))
    return (key, *draw(places(value[key], depth + 1)))


SAMPLES = {
    "GET /api/version": {"release": "1"}, "GET /api/current-user/whoami": {"email": "a"},
    "GET /api/projects/3": PROJECT, "GET /api/ml": [BACKEND], "GET /api/webhooks/": [HOOK],
    "GET /api/predictions": [PREDICTION], "GET /api/tasks": {"tasks": [make_task(1)], "total": N_TASKS},
}  # fmt: skip


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=400)
@given(st.data(), st.sampled_from(CALLS), st.sampled_from(USES), JSON_VALUES)
def test_whatever_stands_in_one_field_of_an_answer_nothing_but_a_sentence_is_raised(
    data, odd_call, use, value
):
    where = data.draw(places(SAMPLES[odd_call]))

    def change(call, params, sane):
        if call != odd_call:
            return sane
        if not where:
            return value
        with suppress(LookupError, TypeError):
            return edit(where, value)(params, sane)
        return sane

    studio = SmallStudio(change)
    studio.read_server_time = lambda: None

    with suppress(BackendError):
        use(studio)
    assert len(studio.calls) <= MAX_CALLS


def test_an_annotation_that_cannot_be_read_costs_only_itself():
    spoil = edit(("tasks", 0, "annotations", 0, "updated_at"), 5)
    api = SmallStudio(lambda call, params, sane: spoil(params, sane) if params.get("page") == 1 else sane)
    states, found = fetch_annotation_states(api, read_project(api, 3)), []

    with pytest.raises(BackendError, match="1 tasks or annotations of project 3 cannot be read; the first: "):
        for state in states:
            found.append(state.annotation_id)
    assert found == [2, 3]
