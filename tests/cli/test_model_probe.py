import pytest
from typer.testing import CliRunner

from ris.cli import root_app
from ris.config import Settings
from ris.planning import choose_endpoint
from tests.builders.vlm_server import VlmServer


@pytest.fixture
def server(monkeypatch, tmp_path):
    with VlmServer("gemini") as server:
        monkeypatch.setenv("RIS_VLM_URL", server.url)
        monkeypatch.setenv("RIS_VLM_MODEL", "lab/model")
        monkeypatch.setenv("RIS_MODELS_FOLDER", str(tmp_path))
        yield server


def run():
    return CliRunner().invoke(root_app, ["models", "probe"])


def test_what_a_probe_finds_is_said_and_kept(server):
    ran = run()

    assert ran.exit_code == 0, ran.output
    assert "y before x" in ran.output
    finding = choose_endpoint(Settings()).finding
    assert (finding.syntax, finding.keys, finding.reading.is_row_first) == ("json", ("box_2d",), True)


def test_a_damaged_finding_is_replaced(server, tmp_path):
    run()
    (path,) = (tmp_path / "vlm").iterdir()
    path.write_text("{")

    assert run().exit_code == 0
    assert choose_endpoint(Settings()).finding.reading.is_row_first
