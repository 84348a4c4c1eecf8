"""Each part of an installation, working and broken: a real database, a real server on this machine."""

import json
import shutil
import threading
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest

from ris.config import read_settings
from ris.doctor.check import Check
from ris.doctor.installation import (
    check_database,
    check_disk,
    check_models,
    check_own_address,
    check_server,
    check_server_key,
    check_sync,
    count_received_webhooks,
)
from ris.labelstudio.api.connecting import MLBackend
from ris.store.session import Database, upgrade_database
from ris.store.sync_states import save_sync_failure, save_sync_success, save_webhook_fault
from tests.builders.services import NOW

METRICS = """\
# TYPE ris_events_total counter
ris_events_total{state="applied"} 3.0
ris_events_total{state="failed"} 1.0
ris_events_created{state="applied"} 1.7e+09
"""


@pytest.fixture(autouse=True)
def bare(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RIS_DATABASE_URL", f"sqlite:///{tmp_path}/ris.db")


class Server(ThreadingHTTPServer):
    """A fake `ris serve` with user "ris" and password "open"; `state` and `metrics` are its answers."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.login = b"ris:open"
        self.state, self.metrics = {"models": "ready", "database": "ready"}, METRICS
        self.key_error = ""
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        is_open = self.headers.get("Authorization") == f"Basic {b64encode(self.server.login).decode()}"
        state = json.dumps(self.server.state) if is_open else "<html>log in</html>"
        key = json.dumps({"error": self.server.key_error})
        answers = {"/health/ready": state, "/metrics": self.server.metrics, "/health/label-studio": key}
        body = answers[self.path].encode()
        self.send_response(200 if is_open else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def server(monkeypatch):
    server = Server()
    monkeypatch.setenv("RIS_PORT", str(server.server_port))
    monkeypatch.setenv("RIS_BASIC_AUTH_USER", "ris")
    monkeypatch.setenv("RIS_BASIC_AUTH_PASSWORD", "open")
    yield server
    server.shutdown()
    server.server_close()


def test_a_database_is_open_only_at_this_programs_revision():
    settings = read_settings()
    before = check_database(settings)
    upgrade_database(settings.database_url)

    assert not before.is_ok
    assert "run `ris db upgrade`" in before.message
    assert check_database(settings) == Check("database", True, "open, writable, at this program's revision")


@pytest.mark.parametrize(
    ("free", "check"),
    [
        (5 * 2**30, Check("disk", True, "5.0 GiB free next to the database")),
        (2**29, Check("disk", False, "0.5 GiB free next to the database, less than 1 GiB: make room")),
    ],
)
def test_a_disk_has_room_with_more_than_one_gib(monkeypatch, free, check):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))

    assert check_disk(read_settings()) == check


def test_the_models_of_the_default_preset_are_in_the_package_and_others_must_be_fetched(monkeypatch):
    there = check_models(read_settings())
    monkeypatch.setenv("RIS_PRESET", "nothing")
    missing = check_models(read_settings())

    assert there.is_ok
    assert there.message.startswith("tiny-")
    assert there.is_warning
    assert "useless on photographs. For photographs set RIS_PRESET=classical" in there.message
    assert "run `ris models fetch base` and set RIS_PRESET=base: 6.1 GB to download" in there.message
    assert not missing.is_ok
    assert "nothing" in missing.message


def test_our_address_is_one_that_label_studio_can_call():
    check, backend = check_own_address(read_settings(), "http://192.168.1.5:9090/")
    refused, none = check_own_address(read_settings(), "http://0.0.0.0:9090")

    assert check == Check("own address", True, "Label Studio is told http://192.168.1.5:9090")
    assert backend == MLBackend("http://192.168.1.5:9090")
    assert (refused.is_ok, none) == (False, None)
    assert "set RIS_PUBLIC_URL" in refused.message


@pytest.mark.parametrize(
    ("state", "is_ok", "message"),
    [
        ({"models": "ready", "database": "ready"}, True, "answers, models ready"),
        ({"models": "loading", "database": "ready"}, True, "answers, models loading"),
        ({"models": "failed", "error": "a file is damaged"}, False, "cannot work: a file is damaged"),
        ({"models": "ready", "database": "is gone"}, False, "cannot work: is gone"),
    ],
)
def test_a_server_works_when_its_database_and_its_models_do(server, state, is_ok, message):
    server.state = state

    check = check_server(read_settings())

    assert check == Check("server", is_ok, f"http://127.0.0.1:{server.server_port} {message}")


def test_a_server_that_may_not_listen_and_a_password_without_a_user_are_told(server, monkeypatch):
    monkeypatch.setenv("RIS_BASIC_AUTH_PASSWORD", " ")
    monkeypatch.setenv("RIS_HOST", "0.0.0.0")
    assert "there is no password" in check_server(read_settings()).message

    monkeypatch.setenv("RIS_BASIC_AUTH_PASSWORD", "open")
    assert check_server(read_settings()).is_ok
    server.login = b":open"
    monkeypatch.setenv("RIS_BASIC_AUTH_USER", "")
    check = check_server(read_settings())
    assert (check.is_ok, check.message[:27]) == (False, "RIS_BASIC_AUTH_USER is not ")


def test_no_proxy_gets_the_password(server, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")

    assert check_server(read_settings()).is_ok


def test_the_key_of_the_running_server_is_checked_by_the_server(server):
    assert check_server_key(read_settings()) == Check(
        "server's key", True, "Label Studio accepts the key of the running server"
    )

    server.key_error = "Label Studio refused the API key (401)"

    found = check_server_key(read_settings())
    assert not found.is_ok
    assert "cannot read from Label Studio: Label Studio refused the API key" in found.message


def test_a_server_that_does_not_answer_is_to_be_started(server, monkeypatch):
    monkeypatch.setenv("RIS_BASIC_AUTH_PASSWORD", "another")
    refusing = check_server(read_settings())
    monkeypatch.setenv("RIS_PORT", "9")

    assert not refusing.is_ok
    assert check_server(read_settings()) == Check(
        "server", False, "http://127.0.0.1:9 does not answer (ConnectError): start `ris serve`"
    )


def test_received_webhooks_are_counted_over_all_states_and_unknown_without_an_answer(server, monkeypatch):
    assert count_received_webhooks(read_settings()) == 4
    monkeypatch.setenv("RIS_BASIC_AUTH_PASSWORD", "another")
    assert count_received_webhooks(read_settings()) is None


def test_a_project_whose_sync_fails_is_told_with_its_sentence():
    settings = read_settings()
    upgrade_database(settings.database_url)
    database = Database.open(settings.database_url)
    with database.begin() as session:
        save_sync_success(session, 2, at=NOW)
    assert check_sync(settings) == Check("sync", True, "the last sync of each of 1 projects worked")

    with database.begin() as session:
        save_sync_failure(session, 3, "project 3 is gone", at=NOW, is_missing=True)
    database.close()

    check = check_sync(settings)
    assert not check.is_ok
    assert check.message.startswith("1 of 2 projects fail; project 3: no success yet; failed once, last ")
    assert check.message.endswith(": project 3 is gone")


def test_a_webhook_that_the_sync_repaired_or_could_not_repair_is_told():
    settings = read_settings()
    upgrade_database(settings.database_url)
    database = Database.open(settings.database_url)
    with database.begin() as session:
        save_sync_success(session, 2, at=NOW)
        save_webhook_fault(session, 2, "it is switched off", at=NOW, is_repaired=True)
    repaired = check_sync(settings)
    with database.begin() as session:
        save_webhook_fault(session, 2, "Label Studio answered 403", at=NOW, is_repaired=False)
    database.close()

    assert repaired == Check(
        "sync", True,
        "the last sync of each of 1 projects worked; the last webhook that it repaired: project 2, "
        "2026-01-02 00:00 UTC: it is switched off; repaired",
    )  # fmt: skip
    assert check_sync(settings) == Check(
        "sync", False, "the webhooks of 1 of 1 projects fail; project 2, since 2026-01-02 00:00 UTC: Label "
        "Studio answered 403; not repaired",
    )  # fmt: skip


def test_another_program_at_our_port_is_told(server):
    server.state = ["no", "state"]

    assert "another program answers" in check_server(read_settings()).message
