"""`ris sync` and `ris forget` over several projects, some of which are gone in Label Studio."""

import json

import pytest
from typer.testing import CliRunner

from ris.cli import root_app
from ris.errors import InputError, LabelStudioMissing
from ris.store.records import save_project
from ris.store.sync_states import find_sync_states
from tests.builders.services import NOW
from tests.labelstudio.small_studio import PREDICTION, OddStudio, make_task
from tests.labelstudio.studio import LEGACY

PRESENT, GONE = "3.1700000000", "2.1700000000"


@pytest.fixture
def studio():
    made = OddStudio()
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture
def ris(tmp_path, monkeypatch, database, studio):
    """Run `ris` against a Label Studio that has project 3 alone; the database knows projects 2 and 3."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RIS_DATABASE_URL", f"sqlite:///{tmp_path / 'ris.db'}")
    monkeypatch.setenv("RIS_LABEL_STUDIO_API_KEY", LEGACY)
    monkeypatch.setenv("RIS_LABEL_STUDIO_URL", studio.url)
    put(database, PRESENT, GONE)
    return lambda *arguments: CliRunner().invoke(root_app, arguments)


def put(database, *keys):
    with database.begin() as session:
        for key in keys:
            save_project(session, key, label_config="<View/>", extra_params={}, now=NOW)


def read_states(database):
    with database.begin() as session:
        return {state.project: state for state in find_sync_states(session)}


def test_a_project_that_is_gone_stops_no_other_and_is_told(ris, database):
    ran = ris("sync")

    assert ran.exit_code == 1
    assert str(ran.exception) == "1 of 2 projects could not be synced; the table says why"
    output = " ".join(ran.output.replace("│", " ").split())
    assert "in step" in output
    assert "project 2 is gone in Label Studio" in output
    assert "`ris forget 2` stops asking for it" in output
    states = read_states(database)
    assert states[3].last_success is not None
    assert (states[2].n_failures, states[2].is_missing) == (1, True)


def list_duplicates(handler, call, params, sane):
    """Give task 1 each prediction twice, until the first is removed; record what is deleted."""
    if call.startswith("DELETE "):
        handler.server.deleted.append(call)
        handler.answer(200, "{}")
        return True
    if call != "GET /api/tasks" or "total_predictions" not in params.get("query", ""):
        return False
    task = make_task(1) | {"predictions": [PREDICTION | {"id": number} for number in (7, 8)]}
    handler.answer(200, json.dumps({"tasks": [task], "total": 1}))
    return True


def test_duplicate_predictions_are_listed_and_stay_where_nobody_can_be_asked(ris, studio):
    studio.send, studio.deleted = list_duplicates, []

    ran = ris("sync", "--project", "3")

    assert ran.exit_code == 0
    assert "task 1: predictions 7 are duplicates" in ran.output
    assert (
        "1 duplicate predictions of 1 tasks in Label Studio stay; `ris sync --yes` removes them" in ran.output
    )
    assert studio.deleted == []


def test_yes_removes_duplicate_predictions(ris, studio):
    studio.send, studio.deleted = list_duplicates, []

    assert ris("sync", "--project", "3", "--yes").exit_code == 0
    assert studio.deleted == ["DELETE /api/predictions/7/"]


def test_one_project_that_is_gone_is_one_sentence(ris):
    ran = ris("sync", "--project", "2")

    assert ran.exit_code == 1
    assert isinstance(ran.exception, LabelStudioMissing)
    assert str(ran.exception).startswith("project 2 is gone in Label Studio, or ")


def test_a_forgotten_project_is_left_out_until_a_new_one_has_its_number(ris, database):
    assert ris("forget", "2").exit_code == 0

    assert ris("sync").exit_code == 0
    assert set(read_states(database)) == {2, 3}

    put(database, "2.2000000000")
    assert ris("sync").exit_code == 1


def test_a_project_that_the_database_does_not_know_cannot_be_forgotten(ris):
    ran = ris("forget", "7")

    assert isinstance(ran.exception, InputError)
    assert "the database has no project 7" in str(ran.exception)


def test_a_mistyped_number_is_no_state_that_stays(ris, database):
    assert ris("sync", "--project", "7").exit_code == 1
    assert read_states(database) == {}


def test_keys_that_hold_no_number_of_a_project_are_passed_over(ris, database):
    put(database, "\u00b2", "3abc.5", "99999999999.1", "-1.5", "True.1", "")

    ran = ris("sync")

    assert "1 of 2 projects could not be synced" in str(ran.exception)
