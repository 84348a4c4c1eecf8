"""The command line as a user meets it: a process, its exit status and what it prints."""

import json
import re
import socket
from datetime import UTC, datetime

import pytest
from PIL import Image as Pillow
from typer.testing import CliRunner

from ris.cli import root_app
from ris.core.types import Verdict
from ris.service import RecordingService
from ris.store.session import Database
from ris.tinyworld.samples import make_samples
from tests.builders.command_line import ROOT, assert_one_sentence, ris
from tests.builders.events import event
from tests.builders.records import add, correction
from tests.live.support.process import find_free_port

pytestmark = pytest.mark.program

NOT_UNDERSTOOD = [{"type": "vectorlabels", "id": "v"}]
COMMANDS = [
    "serve", "suggest", "export", "connect", "report", "evaluate", "check", "agreement", "sync", "forget",
    "events", "events history", "events replay",
    "db upgrade", "models list", "benchmark tinyworld", "benchmark switches", "benchmark learning",
    "benchmark refcoco", "benchmark refcoco-table", "benchmark export-tinyworld", "benchmark vlm",
    "learn", "validate", "import", "doctor", "tidy", "models versions", "models use", "prelabel",
    "models fetch", "models verify",
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command):
    shown = CliRunner().invoke(root_app, [*command.split(), "--help"], env={"COLUMNS": "200"})

    assert shown.exit_code == 0
    assert f"ris {command}" in shown.output


@pytest.mark.parametrize("command", ["export", "report", "evaluate", "learn"])
def test_a_project_is_named_by_its_number_in_label_studio(command):
    shown = CliRunner().invoke(root_app, [command, "--help"], env={"COLUMNS": "200"})

    assert "project number in Label Studio, e.g. 3" in shown.output


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_stands_on_the_page_of_commands(command):
    assert f"`ris {command}`" in (ROOT / "docs" / "cli.md").read_text()


def test_a_database_that_is_not_there_is_one_sentence(tmp_path):
    assert_one_sentence(ris("serve", folder=tmp_path), "ris.db is not there: run `ris db upgrade`")
    assert_one_sentence(ris("export", folder=tmp_path), "ris.db is not there: run `ris db upgrade`")


def test_a_port_in_use_is_one_sentence(tmp_path):
    ris("db", "upgrade", folder=tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        assert_one_sentence(
            ris("serve", "--port", str(port), folder=tmp_path), f"cannot listen on 127.0.0.1:{port}"
        )


def test_without_a_password_nobody_outside_is_served(tmp_path):
    ris("db", "upgrade", folder=tmp_path)

    assert_one_sentence(
        ris("serve", "--host", "0.0.0.0", folder=tmp_path), "RIS_HOST is 0.0.0.0, .* there is no password"
    )
    blank = {"RIS_HOST": "0.0.0.0", "RIS_BASIC_AUTH_USER": "ris", "RIS_BASIC_AUTH_PASSWORD": " "}
    assert_one_sentence(ris("serve", folder=tmp_path, **blank), "there is no password")


def test_the_doctor_says_what_to_change_where(tmp_path):
    ran = ris(
        "doctor",
        "--url",
        "http://127.0.0.1:9",
        folder=tmp_path,
        COLUMNS="300",
        RIS_PORT=str(find_free_port()),
    )

    assert ran.returncode == 1
    rows = {line.split("│")[2].strip(): line for line in ran.stdout.splitlines() if line.count("│") > 3}
    assert "run `ris db upgrade`" in rows["database"]
    assert "start `ris serve`" in rows["server"]
    assert "check RIS_LABEL_STUDIO_URL" in rows["Label Studio"]
    assert "warning" in rows["models"]  # the embedded networks are for drawn scenes
    assert "ok" in rows["disk"]


def test_the_doctor_of_a_container_says_that_its_own_address_is_missing(tmp_path):
    """RIS_HOST is 0.0.0.0 there: a place to listen, and no address that Label Studio could be told."""
    asked = ("doctor", "--url", "http://127.0.0.1:9")
    env = {
        "COLUMNS": "300", "RIS_HOST": "0.0.0.0", "RIS_PORT": str(find_free_port()),
        "RIS_BASIC_AUTH_PASSWORD": "open",
    }  # fmt: skip

    unset = ris(*asked, folder=tmp_path, **env)
    known = ris(*asked, folder=tmp_path, **env, RIS_PUBLIC_URL="http://ris.local:9090")

    (line,) = [line for line in unset.stdout.splitlines() if "own address" in line]
    assert "TO DO" in line
    assert "set RIS_PUBLIC_URL to an address that it can call, or give one with --backend" in line
    assert "127.0.0.1" in next(line for line in unset.stdout.splitlines() if "start `ris serve`" in line)
    (line,) = [line for line in known.stdout.splitlines() if "own address" in line]
    assert "ok" in line
    assert "Label Studio is told http://ris.local:9090" in line


def test_a_container_without_an_address_of_its_own_is_not_connected(tmp_path):
    assert_one_sentence(
        ris("connect", "--project", "1", "--url", "http://127.0.0.1:9", folder=tmp_path, RIS_HOST="0.0.0.0"),
        "Label Studio cannot call `ris serve` at http://0.0.0.0:9090: set RIS_PUBLIC_URL",
    )


@pytest.mark.parametrize(
    ("variable", "value", "pattern"),
    [
        ("RIS_PORT", "many", "RIS_PORT: .*got 'many'"),
        ("RIS_PRESET", "huge", "there is no preset 'huge'"),
        ("RIS_DATABASE_URL", "mysql://somewhere/x", "it can be sqlite or postgresql"),
        ("RIS_LABEL_STUDIO_URL", "localhost:8080", "RIS_LABEL_STUDIO_URL: .*must start with http"),
    ],
)
def test_a_setting_without_meaning_names_its_variable(tmp_path, variable, value, pattern):
    assert_one_sentence(ris("serve", folder=tmp_path, **{variable: value}), pattern)


def test_suggest_prints_the_ranked_table_and_draws_the_alternatives(tmp_path):
    sample = make_samples(1)[0]
    (tmp_path / "scene.png").write_bytes(sample.png)

    ran = ris("suggest", "scene.png", sample.expression, "--out", "drawn.png", folder=tmp_path, COLUMNS="160")

    assert ran.returncode == 0, ran.stderr
    assert "global-local" in ran.stdout
    assert re.search(r"│ 1 +│", ran.stdout)
    assert min(Pillow.open(tmp_path / "drawn.png").size) >= 480


def test_suggest_says_in_one_line_what_is_wrong_with_its_picture(tmp_path):
    (tmp_path / "text.png").write_text("this is no picture")

    assert_one_sentence(ris("suggest", "text.png", "the dog", folder=tmp_path), "are no picture")
    assert_one_sentence(
        ris("suggest", "nothing.png", "the dog", folder=tmp_path), "there is no file nothing.png"
    )
    assert_one_sentence(ris("suggest", "text.png", "  ", folder=tmp_path), "the expression is empty")


def test_export_of_an_empty_database_writes_valid_files(tmp_path):
    ris("db", "upgrade", folder=tmp_path)

    ran = ris("export", "--out", "out", folder=tmp_path)

    assert ran.returncode == 0, ran.stderr
    assert json.loads((tmp_path / "out" / "coco.json").read_text())["annotations"] == []
    assert (tmp_path / "out" / "decisions.jsonl").read_text() == ""


def test_models_list_says_that_the_embedded_ones_are_toys():
    shown = CliRunner().invoke(root_app, ["models", "list"])

    assert shown.exit_code == 0
    assert "tiny" in shown.output
    assert "photographs" in shown.output


def test_the_benchmark_prints_figures_for_machines(tmp_path):
    ran = ris("benchmark", "tinyworld", "--scenes", "2", "--no-proposals", "--json", folder=tmp_path)

    figures = json.loads(ran.stdout)
    assert figures["scenes"] == 2
    assert set(figures["true_masks_first"]) == {
        "category",
        "attribute",
        "position",
        "relation",
        "negation + ordinal",
        "all",
    }
    of_all = figures["true_masks_first"]["all"]
    assert set(of_all) == {"global-local", "lgd", "iterprime", "spatial", "fusion"}
    assert of_all["fusion"]["count"] > 0


def test_a_benchmark_of_one_scene_has_no_mean_over_kinds_that_it_lacks(tmp_path):
    ran = ris("benchmark", "tinyworld", "--scenes", "1", folder=tmp_path)
    figures = ris("benchmark", "tinyworld", "--scenes", "1", "--json", folder=tmp_path)

    assert ran.returncode == 0, ran.stderr
    assert "end to end, first: mean of" not in ran.stdout
    assert json.loads(figures.stdout)["end_to_end_mean"] is None


def test_a_report_of_an_empty_database_is_a_page(tmp_path):
    ris("db", "upgrade", folder=tmp_path)

    ran = ris("report", "--out", "report.html", folder=tmp_path)
    table = ris("evaluate", "--by", "kind", folder=tmp_path)

    assert ran.returncode == 0, ran.stderr
    assert "none yet" in (tmp_path / "report.html").read_text()
    assert table.returncode == 0, table.stderr


def test_a_sync_without_a_key_is_one_sentence(tmp_path):
    ris("db", "upgrade", folder=tmp_path)

    assert_one_sentence(ris("sync", folder=tmp_path), "RIS_LABEL_STUDIO_API_KEY is not set")


def test_failed_events_are_listed_and_can_be_worked_on_again(tmp_path):
    ris("db", "upgrade", folder=tmp_path)
    database = Database.open(f"sqlite:///{tmp_path / 'ris.db'}")
    recording = RecordingService(database, now=lambda: datetime(2026, 1, 2, tzinfo=UTC))
    recording.start()
    recording.record({"action": "ANNOTATION_CREATED"})
    while recording.process_events():
        pass
    recording.close()
    database.close()

    grouped = ris("events", "--failed", folder=tmp_path, COLUMNS="240")
    listed = ris("events", "--cause", "webhook", folder=tmp_path, COLUMNS="240")
    replayed = ris("events", "replay", folder=tmp_path)
    dismissed = ris("events", "dismiss", "1", folder=tmp_path)

    assert "│ waiting   │ 0      │\n│ processed │ 0      │\n│ failed    │ 1      │" in grouped.stdout
    assert "ris connect repairs it" in grouped.stdout
    assert "came without the project's label_config" in grouped.stdout
    assert "came without the project's label_config" in listed.stdout
    assert "processed again: 1; webhook events now: 0 waiting, 0 processed, 1 failed" in replayed.stdout
    assert "1 dismissed" in dismissed.stdout
    counted = json.loads(ris("events", "--json", folder=tmp_path).stdout)
    assert counted == {
        "states": [
            {"state": "waiting", "events": 0},
            {"state": "processed", "events": 1},
            {"state": "failed", "events": 0},
        ]
    }
    assert_one_sentence(
        ris("events", "--cause", "webhook", folder=tmp_path), "there is no failed event of the cause"
    )


def test_the_history_of_an_annotation_has_all_its_versions_oldest_first(tmp_path):
    ris("db", "upgrade", folder=tmp_path)
    database = Database.open(f"sqlite:///{tmp_path / 'ris.db'}")
    add(
        database, correction(17, seconds=9, rank=2), correction(18, verdict=Verdict.REDRAWN),
        correction(17, seconds=1, verdict=Verdict.SKIPPED, rank=None),
    )  # fmt: skip
    database.close()

    shown = ris("events", "history", "17", folder=tmp_path)

    lines = [line for line in shown.stdout.splitlines() if "│" in line]
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines]
    assert rows == [
        ["1", "2026-01-02 03:04:06+00:00", "skipped", "-"],
        ["1", "2026-01-02 03:04:14+00:00", "accepted", "3"],
    ]
    assert_one_sentence(
        ris("events", "history", "17", "--project", "2", folder=tmp_path),
        "the database has no project '2'; it has 1",
    )


def test_an_event_that_is_not_there_is_one_sentence(tmp_path):
    ris("db", "upgrade", folder=tmp_path)

    assert_one_sentence(ris("events", "replay", "99999", folder=tmp_path), "there is no event 99999")
    assert_one_sentence(ris("events", "dismiss", "7", folder=tmp_path), "there is no event 7")


def test_what_a_later_version_took_back_is_not_exported_and_told(tmp_path):
    ris("db", "upgrade", folder=tmp_path)
    database = Database.open(f"sqlite:///{tmp_path / 'ris.db'}")
    recording = RecordingService(database, now=lambda: datetime(2026, 1, 2, tzinfo=UTC))
    recording.start()
    for number, seconds, result in ((1, 1, []), (2, 1, []), (2, 2, NOT_UNDERSTOOD)):
        recording.record(event(result, number=number, seconds=seconds))
    while recording.process_events():
        pass
    recording.close()
    database.close()

    whole = ris("export", "--format", "jsonl", "--out", "out", folder=tmp_path)
    other = ris("export", "--format", "jsonl", "--project", "2", "--out", "other", folder=tmp_path)
    grouped = ris("events", "--failed", folder=tmp_path, COLUMNS="240")
    dismissed = ris("events", "dismiss", "3", folder=tmp_path)

    lines = (tmp_path / "out" / "decisions.jsonl").read_text().splitlines()
    assert [json.loads(line)["annotation_id"] for line in lines] == [1]
    assert json.loads((tmp_path / "out" / "export_report.json").read_text())["not_understood"] == 1
    assert "left out because their event failed: 1; `ris events --failed` gives the reasons" in whole.stdout
    assert "their event failed" not in other.stdout
    assert "failed events: these annotations are not counted as decisions" in grouped.stdout
    assert "ris events dismiss" in grouped.stdout
    assert "older versions of these annotations count again: 1" in dismissed.stdout


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ({"avx2"}, "versions in fp32 on cpu. RIS_PRECISION is bf16, and"),
        ({"amx_bf16"}, "versions in bf16 on cpu"),
    ],
)
def test_models_list_says_what_is_computed_in(monkeypatch, flags, told):
    monkeypatch.setenv("RIS_PRECISION", "bf16")
    monkeypatch.setattr("ris.pretrained.precision.read_cpu_flags", lambda: flags)

    assert told in CliRunner().invoke(root_app, ["models", "list"]).stdout


def test_a_token_can_be_renewed_only_where_there_is_a_password_and_kept_only_in_a_database(tmp_path):
    guarded = {"RIS_BASIC_AUTH_USER": "ris", "RIS_BASIC_AUTH_PASSWORD": "open"}

    assert_one_sentence(
        ris("connect", "--project", "3", "--rotate", folder=tmp_path), "there is no token to renew"
    )
    assert_one_sentence(
        ris("connect", "--create", "Mugs", folder=tmp_path, **guarded), "is not there: run `ris db upgrade`"
    )
