"""What `ris quickstart` refuses before it starts anything; tests/live runs it in a real Label Studio."""

import socket

import pytest
from typer.testing import CliRunner

from ris.cli import root_app
from ris.cli.quickstart_state import load_state
from ris.errors import InputError


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RIS_LABEL_STUDIO_API_KEY", raising=False)
    (tmp_path / "images").mkdir()
    (tmp_path / "e.csv").write_text("image,expression\n")
    return lambda *more: CliRunner().invoke(
        root_app, ["quickstart", "--images", "images", "--expressions", "e.csv", *more]
    )


def test_a_program_that_is_not_there_is_one_sentence_with_two_ways_out(run):
    ran = run("--label-studio-command", "no-such-program")

    assert isinstance(ran.exception, InputError)
    assert "there is no program 'no-such-program'" in str(ran.exception)
    assert "name a running one with --url and --key" in str(ran.exception)


def test_a_label_studio_without_a_key_is_refused(run):
    ran = run("--url", "http://127.0.0.1:9")

    assert isinstance(ran.exception, InputError)
    assert "give its key with --key too" in str(ran.exception)


def test_a_second_run_in_a_folder_is_refused_while_the_first_runs(run, tmp_path):
    run("--label-studio-command", "no-such-program")
    port = load_state(tmp_path / "quickstart").backend_port
    with socket.socket() as first:
        first.bind(("127.0.0.1", port))
        first.listen()
        ran = run("--label-studio-command", "no-such-program")

    assert isinstance(ran.exception, InputError)
    assert "stop the `ris quickstart` that runs in this folder" in str(ran.exception)
