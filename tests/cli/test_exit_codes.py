"""Exit codes over all commands: 0 only if something was done, and nothing that was named is missing."""

import pytest
from PIL import Image as Pillow
from typer.testing import CliRunner

from ris.cli import root_app
from ris.core.types import Verdict
from ris.errors import BackendError
from ris.store.session import Database, upgrade_database
from tests.builders.records import add, correction

NOWHERE = "http://127.0.0.1:9"

# What is named does not exist, or everything fails: the command, and a part of its sentence.
FAILING = [
    ("quickstart --images . --expressions t.csv --label-studio-command no-such", "there is no program"),
    ("serve --port 1 --host nowhere.invalid", "there is no password"),
    ("suggest nothing.png dog", "there is no file nothing.png"),
    ("suggest flat.png dog --preset classical", "no mask was proposed"),
    ("connect --project 3", "Label Studio"),
    ("doctor", "checks failed; see the table"),
    ("doctor --project 99", "checks failed; see the table"),
    ("export --project 99 --out o", "the database has no project '99'"),
    ("export --verdict nothing --out o", "there is no verdict 'nothing'"),
    ("export --format coco --out o", "none of 1 decisions was written"),
    ("validate nowhere", "nowhere/export_report.json cannot be read"),
    ("import nothing.csv --out o.json", "nothing.csv does not exist"),
    ("import t.csv --out o.json", "t.csv contains no expression"),
    ("report --project 99", "the database has no project '99'"),
    ("evaluate --project 99", "the database has no project '99'"),
    ("evaluate --rerun tiny", "no decision on record has a mask"),
    ("evaluate --rerun nothing", "there is no preset 'nothing'"),
    ("sync --project 99", "Label Studio"),
    ("forget 99", "the database has no project 99"),
    ("tidy --project 99", "Label Studio"),
    ("learn --project 99", "the database has no project '99'"),
    ("prelabel --project 99", "Label Studio"),
    ("prelabel --tasks nothing.json", "nothing.json"),
    ("db upgrade --database-url mysql://h/d", "mysql"),
    ("events --cause nothing", "there is no failed event of the cause"),
    ("events history 99", "no version of annotation 99 is on record"),
    ("events replay 99", "there is no event 99"),
    ("events dismiss 99", "there is no event 99"),
    ("models fetch nothing", "there is no preset 'nothing'"),
    ("models verify nothing", "there is no preset 'nothing'"),
    ("models verify base", "networks are missing or damaged"),
    ("models use nothing", "there is no version 'nothing'"),
    ("models versions --preset nothing", "there is no preset 'nothing'"),
    ("benchmark refcoco nowhere --images x", "nowhere has neither"),
    ("benchmark refcoco-table nowhere", "nowhere has no results"),
]
# The command line is wrong.
MISUSED = ["nothing", "export --format nothing", "evaluate --by nothing", "sync --project x", "forget"]
# There is nothing to do, and nothing was named.
IDLE = ["events", "events --failed", "events replay", "models list", "models versions", "evaluate", "learn"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A database with one skipped task, no Label Studio, and a key that nobody looks at."""
    url = f"sqlite:///{tmp_path / 'ris.db'}"
    upgrade_database(url)
    database = Database.open(url)
    add(database, correction(17, verdict=Verdict.SKIPPED, rank=None))
    database.close()
    (tmp_path / "t.csv").write_text("image,expression\n")
    Pillow.new("RGB", (64, 64), "grey").save(tmp_path / "flat.png")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RIS_DATABASE_URL", url)
    monkeypatch.setenv("RIS_LABEL_STUDIO_URL", NOWHERE)
    monkeypatch.setenv("RIS_LABEL_STUDIO_API_KEY", "0" * 40)
    monkeypatch.setenv("RIS_MODELS_FOLDER", str(tmp_path / "models"))


def run(command):
    return CliRunner().invoke(root_app, command.split())


@pytest.mark.parametrize(("command", "sentence"), FAILING)
def test_what_is_not_there_or_fails_ends_with_1_and_a_sentence(command, sentence):
    ran = run(command)

    assert ran.exit_code == 1
    assert isinstance(ran.exception, BackendError)
    assert sentence in str(ran.exception)


@pytest.mark.parametrize("command", MISUSED)
def test_a_wrong_command_line_ends_with_2(command):
    assert run(command).exit_code == 2


@pytest.mark.parametrize("command", IDLE)
def test_nothing_to_do_ends_with_0_where_nothing_was_named(command):
    assert run(command).exit_code == 0
