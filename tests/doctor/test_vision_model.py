import pytest

from ris.assembly import probe_endpoint
from ris.config import Settings
from ris.doctor.vision_model import check_vision_model
from ris.planning import choose_endpoint
from ris.referring.grounding.finding import get_finding_path, write_finding
from tests.builders.vlm_server import Errors, VlmServer


@pytest.fixture
def server():
    with VlmServer() as server:
        yield server


@pytest.fixture
def settings(server, tmp_path):
    return Settings(_env_file=None, vlm_url=server.url, vlm_model="qwen3-vl", models_folder=tmp_path)


def keep_finding(settings):
    path = get_finding_path(settings.models_folder, settings.vlm_url, settings.vlm_model)
    write_finding(path, probe_endpoint(choose_endpoint(settings)))


def test_without_a_model_nothing_is_checked():
    assert check_vision_model(Settings(_env_file=None)) is None


def test_a_model_that_was_not_probed_works_and_is_not_used(settings):
    check = check_vision_model(settings)

    assert (check.is_ok, check.is_warning) == (True, True)
    assert "not asked where things are before `ris models probe`" in check.message


def test_a_model_that_answers_as_it_did_is_fine(settings):
    keep_finding(settings)

    check = check_vision_model(settings)
    assert (check.is_ok, check.is_warning) == (True, False)
    assert "qwen3-vl: asked as qwen3-vl, writes json" in check.message


def test_a_model_that_answers_otherwise_must_be_probed_again(settings, server):
    keep_finding(settings)
    server.family = "gemini"

    check = check_vision_model(settings)
    assert not check.is_ok
    assert "Run `ris models probe` again" in check.message


def test_a_model_whose_answers_fit_nothing_is_told(settings, server):
    server.errors = Errors(prose=1)

    check = check_vision_model(settings)
    assert not check.is_ok
    assert "no reading fits" in check.message


def test_a_damaged_finding_is_told(settings):
    keep_finding(settings)
    get_finding_path(settings.models_folder, settings.vlm_url, settings.vlm_model).write_text("{")

    assert "run `ris models probe` again" in check_vision_model(settings).message
