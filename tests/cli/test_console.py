"""Tables for people, for pipes and for programs; and the numbers of projects."""

import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from ris.cli import root_app
from ris.cli.app import COMMANDS, TABLE_COMMANDS, load_command
from ris.cli.console import CommandConsole, make_column_key, make_table
from ris.errors import InputError
from ris.store.session import Database, upgrade_database
from tests.builders.records import TASK, add, correction


def run(*arguments, **env):
    return CliRunner().invoke(root_app, arguments, env=env)


@pytest.fixture
def database_url(tmp_path):
    url = f"sqlite:///{tmp_path / 'ris.db'}"
    upgrade_database(url)
    database = Database.open(url)
    add(database, correction(17))
    database.close()
    return url


def list_commands(command, path):
    yield path, command
    for name, below in getattr(command, "commands", {}).items():
        yield from list_commands(below, f"{path} {name}")


def test_every_command_can_be_quiet_and_those_with_a_table_print_json():
    for name, entry in COMMANDS.items():
        for path, command in list_commands(load_command(name, entry), name):
            options = [one.opts[0] for one in command.params]
            assert options.count("--quiet") == 1, path
            if path in TABLE_COMMANDS:
                assert options.count("--json") == 1, path


def test_json_is_the_whole_standard_output():
    ran = run("models", "list", "--json")

    listed = json.loads(ran.stdout)
    assert list(listed) == ["presets"]
    assert listed["presets"][0]["preset"] == "tiny"
    assert "versions in" in ran.stderr


def test_quiet_leaves_the_tables_alone():
    ran = run("models", "list", "--quiet")

    assert "tiny" in ran.stdout
    assert "versions in" not in ran.output


def test_a_choice_of_output_ends_with_its_command():
    run("models", "list", "--json", "--quiet")

    assert "versions in" in run("models", "list").stdout


def test_a_failed_command_prints_its_table_as_json(database_url):
    ran = run("doctor", "--json", "--url", "http://127.0.0.1:9", "--database-url", database_url)

    assert ran.exit_code == 1
    assert {"state", "check", "message"} == set(json.loads(ran.stdout)["checks"][0])


def test_no_line_of_a_table_is_cut_or_broken_in_a_pipe(capsys):
    table = make_table("name", "what", title="t " * 300)
    table.add_row("x" * 400, "word " * 100 + "[bold]end")

    CommandConsole().print(table)

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == ("t " * 300).rstrip() or lines[0].rstrip() == ("t " * 300).rstrip()
    (row,) = [line for line in lines if "xxx" in line]
    assert "x" * 400 in row
    assert ("word " * 100 + "[bold]end") in row


@pytest.mark.parametrize(
    ("heading", "key"),
    [("box x1 y1", "box_x1_y1"), ("GB", "gb"), ("", "what"), ("P@0.5, top 1", "p_0.5_top_1")],
)
def test_the_key_of_a_column_is_its_heading_in_snake_case(heading, key):
    assert make_column_key(heading) == key


def test_numbers_stay_numbers_and_nothing_is_null(capsys):
    console = CommandConsole()
    console.start_output(as_json=True, is_quiet=False)
    table = make_table("n", "none", name="found")
    table.add_row(3, None)
    console.print(table)
    console.print_json_document()

    assert json.loads(capsys.readouterr().out) == {"found": [{"n": 3, "none": None}]}


@pytest.mark.parametrize("project", ["1", "1.1700000000"])
@pytest.mark.parametrize("order", [1, -1])
def test_a_project_is_found_by_its_number_wherever_the_database_is_named(database_url, project, order):
    options = [["--project", project], ["--database-url", database_url]][::order]

    ran = run("events", "history", "17", "--json", *options[0], *options[1])

    assert ran.exit_code == 0
    assert [one["project"] for one in json.loads(ran.stdout)["versions"]] == [1]


@pytest.mark.parametrize(
    "command", [["evaluate"], ["report"], ["export"], ["learn"], ["events", "history", "17"]]
)
def test_an_unknown_project_is_an_error(database_url, command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    ran = run(*command, "--project", "99", "--database-url", database_url)

    assert ran.exit_code == 1
    assert isinstance(ran.exception, InputError)
    assert "the database has no project '99'; it has 1" in str(ran.exception)


def test_a_number_that_two_projects_had_asks_for_the_key(database_url):
    database = Database.open(database_url)
    add(database, correction(18, task=replace(TASK, project="1.1800000000")))
    database.close()

    ran = run("events", "history", "17", "--project", "1", "--database-url", database_url)

    assert "2 projects with the number 1" in str(ran.exception)


def test_the_version_is_printed():
    ran = run("--version")

    assert ran.exit_code == 0
    assert ran.stdout.startswith("ris ")
