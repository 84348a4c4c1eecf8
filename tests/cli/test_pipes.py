"""In a pipe, every row of every table is one line with every cell whole."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ris.cli import root_app
from ris.store.session import Database, upgrade_database
from tests.builders.command_line import ROOT
from tests.builders.records import add, correction
from tests.labelstudio.small_studio import OURS, OddStudio
from tests.labelstudio.studio import LEGACY

COMMANDS = [
    "models list", "models versions", "events", "events --failed", "events history 17", "evaluate",
    "export --out o --format jsonl --format coco", "validate v", "sync --project 3 --full",
    "tidy --project 3 --dry-run",
    "connect --project 3 --backend " + OURS.url, "doctor --project 3 --backend " + OURS.url,
]  # fmt: skip

_DIGITS = re.compile(r"\d+")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A database with one decision, a small Label Studio, and a narrow terminal."""
    url = f"sqlite:///{tmp_path / 'ris.db'}"
    upgrade_database(url)
    database = Database.open(url)
    add(database, correction(17))
    database.close()
    studio = OddStudio()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "20")
    monkeypatch.setenv("RIS_DATABASE_URL", url)
    monkeypatch.setenv("RIS_LABEL_STUDIO_URL", studio.url)
    monkeypatch.setenv("RIS_LABEL_STUDIO_API_KEY", LEGACY)
    monkeypatch.setenv("RIS_PRESET", "classical")
    monkeypatch.setattr("ris.cli.preset_list.measure_product_rate", lambda: 0.1)
    CliRunner().invoke(root_app, ["export", "--format", "jsonl", "--out", "v"])
    yield
    studio.shutdown()
    studio.server_close()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_record_is_one_line_with_every_cell(command):
    printed = CliRunner().invoke(root_app, command.split()).stdout.splitlines()
    tables = json.loads(CliRunner().invoke(root_app, [*command.split(), "--json"]).stdout)

    lines = [line for line in printed if "│" in line]
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines]
    records = [record for table in tables.values() for record in table]
    assert len(lines) == len(records)
    for record, row in zip(records, cells, strict=True):
        whole = ["-" if value is None else " ".join(str(value).split()) for value in record.values()]
        # Two runs find other counts and times.
        assert [_DIGITS.sub("0", cell) for cell in row] == [_DIGITS.sub("0", cell) for cell in whole]


def test_commands_print_to_the_one_console_that_knows_pipes():
    """The progress of `ris benchmark refcoco` has a console of its own, on the standard error."""
    makers = {
        path.name
        for path in Path(ROOT / "backend" / "ris" / "cli").glob("*.py")
        if "Console(" in path.read_text() or "= Table(" in path.read_text()
    }

    assert makers == {"console.py", "refcoco_run.py"}
