"""Which checks are run, and in which order."""

from datetime import UTC, datetime

import pytest

from ris.assembly import make_label_studio_client
from ris.config import read_settings
from ris.doctor.run import run_checks
from ris.errors import LabelStudioError
from tests.live.support.process import find_free_port

INSTALLATION = ["database", "disk", "models", "server", "own address"]


class Studio:
    """A Label Studio with one project, which has no label config; with `is_down` it does not answer."""

    def __init__(self, *, is_down=False):
        self.is_down = is_down

    def call(self, method, path, body=None, **params):
        if self.is_down:
            raise LabelStudioError("Label Studio does not answer")
        lists = {"/api/tasks": {"tasks": [], "total": 0}, "/api/ml": [], "/api/webhooks/": []}
        return lists.get(path, {"id": 3})

    def read_server_time(self):
        return datetime.now(UTC)


@pytest.fixture(autouse=True)
def bare(tmp_path, monkeypatch):
    monkeypatch.setenv("RIS_DATABASE_URL", f"sqlite:///{tmp_path}/ris.db")
    monkeypatch.setenv("RIS_PORT", str(find_free_port()))
    monkeypatch.setenv("RIS_LABEL_STUDIO_API_KEY", "0" * 40)


def run(api, **more):
    return [check.name for check in run_checks(read_settings(), api, **more)]


def test_without_a_project_the_installation_and_label_studio_are_checked():
    assert run(Studio()) == [*INSTALLATION, "Label Studio", "key", "clock"]


def test_a_project_is_checked_after_them():
    assert run(Studio(), project=3) == [
        *INSTALLATION, "Label Studio", "key", "clock",
        "label config", "ML backend", "predictions", "webhook", "duplicate predictions",
    ]  # fmt: skip


def test_no_project_is_checked_where_label_studio_does_not_answer_or_cannot_be_told_our_address(monkeypatch):
    assert run(Studio(is_down=True), project=3) == [*INSTALLATION, "Label Studio"]
    assert run(Studio(), project=3, url="http://0.0.0.0")[-1] == "clock"
    monkeypatch.delenv("RIS_LABEL_STUDIO_API_KEY")
    assert run(Studio(), project=3)[-1] == "clock"


def test_no_check_shows_a_password_of_the_settings(monkeypatch):
    monkeypatch.setenv("RIS_LABEL_STUDIO_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("RIS_DESCRIBER_URL", "http://user:S3cr3tV4lue@127.0.0.1:9/?token=S3cr3tV4lue")
    monkeypatch.setenv("RIS_DESCRIBER_MODEL", "chat")
    monkeypatch.setenv("RIS_DATABASE_URL", "postgresql://ris:S3cr3tV4lue@127.0.0.1:9/ris")
    settings = read_settings()

    checks = run_checks(settings, make_label_studio_client(settings), project=1)

    assert {check.name: check.is_ok for check in checks}["Label Studio"] is False
    assert "S3cr3tV4lue" not in repr(checks)
