"""`ris connect` shows how a label config would change, and asks."""

import pytest
from typer.testing import CliRunner

from ris.cli import root_app
from ris.errors import InputError
from tests.labelstudio.small_studio import OURS, OddStudio
from tests.labelstudio.studio import LEGACY


@pytest.fixture
def studio():
    made = OddStudio()
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture
def connect(studio, tmp_path, monkeypatch):
    """Connect project 3, whose label config is pick_brush."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RIS_LABEL_STUDIO_API_KEY", LEGACY)
    monkeypatch.setenv("RIS_LABEL_STUDIO_URL", studio.url)
    monkeypatch.setenv("RIS_PRESET", "classical")  # no advice on the pictures
    where = ["connect", "--project", "3", "--backend", OURS.url]
    return lambda *options: CliRunner().invoke(root_app, [*where, *options])


def test_another_label_config_is_shown_and_not_set_where_nobody_can_be_asked(connect, studio):
    ran = connect("--config", "tabs_brush")

    assert isinstance(ran.exception, InputError)
    assert "Replace the label config of project 3?" in str(ran.exception)
    assert "--- in Label Studio\n+++ new\n" in ran.output
    assert '-  <Choices name="pick"' in ran.output
    assert [call for call in studio.calls if not call.startswith("GET ")] == []


def test_yes_sets_it(connect, studio):
    ran = connect("--config", "tabs_brush", "--yes")

    assert ran.exit_code == 0
    assert "set: brushlabels 'mask', presentation tabs" in ran.output
    assert "PATCH /api/projects/3" in studio.calls


def test_the_same_label_config_is_not_asked_about(connect):
    ran = connect("--config", "pick_brush")

    assert ran.exit_code == 0
    assert "in Label Studio" not in ran.output


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--config", "nothing"], "there is no label config 'nothing'; --config can be pick_brush, "),
        (["--create", "Mugs"], "name a project with --project NUMBER, or create one with --create TITLE"),
    ],
)
def test_options_that_mean_nothing_are_refused(connect, studio, options, sentence):
    assert str(connect(*options).exception).startswith(sentence)
    assert studio.calls == []
