"""The list of commands, and what starting the command line imports."""

import os
import subprocess
import sys

import pytest
from typer.main import get_command

from ris.__main__ import main
from ris.cli.app import COMMANDS, load_command, root_app
from tests.builders.command_line import ROOT, ris

HEAVY = {"torch", "sqlalchemy", "pyarrow", "matplotlib", "sklearn", "transformers", "scipy", "nltk", "cv2"}


def find_imported(*arguments):
    """Run `ris` with Python's list of imports, and give the packages of that list."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("RIS_")}
    ran = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "ris", *arguments],
        env=env | {"PYTHONPATH": str(ROOT / "backend")}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in ran.stderr.splitlines()}


def test_the_help_imports_no_heavy_library():
    imported = find_imported("--help")

    assert "typer" in imported
    assert imported & (HEAVY | {"numpy", "pydantic"}) == set()


def test_the_list_of_models_imports_no_network_library_and_none_for_evaluation():
    imported = find_imported("models", "list")

    assert "rich" in imported
    assert imported & {"torch", "transformers", "pyarrow", "matplotlib", "sklearn", "nltk"} == set()


@pytest.mark.parametrize("name", COMMANDS)
def test_the_summary_of_a_command_is_the_first_line_of_its_own_help(name):
    command = load_command(name, COMMANDS[name])

    assert command.name == name
    assert command.help.splitlines()[0] == COMMANDS[name].summary


def test_every_command_is_listed():
    group = get_command(root_app)

    assert group.list_commands(None) == list(COMMANDS)
    assert group.get_command(None, "nothing") is None


def test_an_unknown_command_is_refused(tmp_path):
    ran = ris("nothing", folder=tmp_path)

    assert ran.returncode == 2
    assert "No such command 'nothing'" in ran.stderr


def test_a_fault_of_the_program_shows_a_traceback_without_what_its_messages_quote(monkeypatch, capsys):
    message = "bad https://u:S3cr3tV4lue@h/\nDETAIL\x1b[2J"

    def fail():
        raise ValueError(message)

    monkeypatch.setattr("ris.cli.root_app", fail)
    monkeypatch.setattr("signal.signal", lambda *_: None)

    with pytest.raises(SystemExit, match="1"):
        main()

    shown = capsys.readouterr().err
    assert shown.startswith("Traceback")
    assert shown.endswith("ValueError: bad https://***@h/\n")
