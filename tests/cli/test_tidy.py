"""`ris tidy` shows what it would change, asks, and ends with 1 where something failed."""

import pytest
from typer.testing import CliRunner

from ris.cli import root_app
from ris.errors import InputError, LabelStudioError
from ris.service.tidying import TidyResult


@pytest.fixture
def runs(monkeypatch):
    """The runs of the service, True for a dry one, with two annotations of which one has surplus regions."""
    made = []

    def tidy_project(client, project, *, dry_run):
        made.append(dry_run)
        return [TidyResult(7, 2), TidyResult(8, 0)]

    monkeypatch.setattr("ris.cli.tidy.tidy_project", tidy_project)
    return made


def run(*arguments):
    return CliRunner().invoke(root_app, ["tidy", "--project", "3", *arguments])


def test_it_shows_what_it_would_change_and_changes_nothing_where_nobody_can_be_asked(runs):
    ran = run()

    assert "1 of 2 annotations would be rewritten, 2 regions removed" in ran.output
    assert isinstance(ran.exception, InputError)
    assert runs == [True]


def test_yes_makes_the_changes(runs):
    ran = run("--yes")

    assert ran.exit_code == 0
    assert "1 of 2 annotations were rewritten, 2 regions removed" in ran.output
    assert runs == [True, False]


def test_a_dry_run_only_shows(runs):
    assert run("--dry-run").exit_code == 0
    assert runs == [True]


def test_an_annotation_that_fails_ends_with_1(monkeypatch):
    monkeypatch.setattr("ris.cli.tidy.tidy_project", lambda *_, **__: [TidyResult(8, 0, "refused")])

    ran = run("--dry-run")

    assert isinstance(ran.exception, LabelStudioError)
    assert "annotation 8: refused" in ran.output
