"""The composition root: what it joins must agree."""

import base64
import io
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import skimage
from PIL import Image as Pillow
from pydantic import SecretStr

from ris.assembly import (
    MAX_DATABASE_CONNECTIONS,
    assemble,
    check_label_studio_key,
    load_pipeline,
    make_project_tokens,
    make_sync_service,
    make_training_service,
    warn_of_photographs,
)
from ris.config import Settings
from ris.core import rle
from ris.core.types import Image, Task
from ris.errors import SettingsError
from ris.labelstudio.api.connecting import make_webhook_token
from ris.planning import make_plan
from ris.referring.grounding.finding import Finding, get_finding_path, write_finding
from ris.referring.grounding.reading import Reading
from ris.referring.ranking import Coefficients, Fusion
from ris.service.suggesting import MAX_FETCHERS
from ris.service.worker import ModelState, ModelStatus
from ris.store.learned_rankings import LearnedRanking, add_learned_ranking, find_ranking_in_use
from ris.store.session import upgrade_database
from ris.web.server import LANES
from tests.builders.fakes import squares
from tests.builders.services import NOW, make_pipeline
from tests.builders.vlm_server import VlmServer
from tests.labelstudio.small_studio import OddStudio
from tests.labelstudio.studio import LEGACY, FakeStudio


@pytest.fixture
def studio():
    made = FakeStudio()
    yield made
    made.shutdown()
    made.server_close()


@pytest.mark.parametrize(
    ("key", "found"),
    [
        (None, "RIS_LABEL_STUDIO_API_KEY is not set"),
        ("0" * 40, "Label Studio answered 401"),
    ],
)
def test_the_key_is_tried_at_label_studio_and_what_is_wrong_is_one_sentence(studio, key, found):
    secret = SecretStr(key) if key else None
    settings = Settings(_env_file=None, label_studio_url=studio.url, label_studio_api_key=secret)

    said = check_label_studio_key(settings)

    assert found in said
    assert "\n" not in said
    assert bool(studio.asked) == (key is not None)


def test_a_key_that_label_studio_accepts_has_nothing_wrong():
    studio = OddStudio()
    settings = Settings(_env_file=None, label_studio_url=studio.url, label_studio_api_key=SecretStr(LEGACY))

    assert check_label_studio_key(settings) == ""
    assert studio.calls == ["GET /api/current-user/whoami"]
    studio.shutdown()
    studio.server_close()


def make_database(folder):
    url = f"sqlite:///{folder / 'ris.db'}"
    upgrade_database(url)
    return url


def load_squares_pipeline(plan, *parts):
    """In place of networks: coloured squares, under the plan's version and ranking."""
    return replace(make_pipeline(), version=plan.version, ranking=plan.preset.ranking)


def test_what_was_learned_is_in_use_after_a_release_and_with_another_number_of_alternatives(
    tmp_path, monkeypatch
):
    url = make_database(tmp_path)
    learning = make_training_service(Settings(database_url=url, alternatives=3))
    learned = LearnedRanking(f"{learning.base}-abcdef", learning.base, Coefficients(Fusion()), {}, NOW)
    with learning.database.begin() as session:
        add_learned_ranking(session, learned)
    learning.use_version(learned.version)
    learning.database.close()

    monkeypatch.setattr("ris.__version__", "99.0.0")
    monkeypatch.setattr("ris.assembly.load_pipeline", load_squares_pipeline)
    application = assemble(Settings(database_url=url, alternatives=5))
    version, base = application.suggesting.version, application.training.base
    with application.database.begin() as session:
        in_use = find_ranking_in_use(session, base)
    application.close()

    assert in_use == learned
    assert version == f"{learned.version}-top5"


def test_the_server_finds_what_it_stored_whatever_the_number_of_alternatives(tmp_path, monkeypatch):
    monkeypatch.setattr("ris.assembly.load_pipeline", load_squares_pipeline)
    picture = io.BytesIO()
    Pillow.fromarray(squares()).save(picture, "PNG")
    reference = f"data:image/png;base64,{base64.b64encode(picture.getvalue()).decode()}"
    task = Task(1, "1.1700000000", reference, "the red")
    for alternatives in (3, 2):
        application = assemble(Settings(database_url=make_database(tmp_path), alternatives=alternatives))
        (answer,) = application.suggesting.suggest([task], deadline_s=60)
        stored = application.suggesting.find_alternatives(task)
        application.close()

        assert answer.reason == ""
        assert [offer.suggestion for offer in stored] == [offer.suggestion for offer in answer.alternatives]
        assert len(stored) == alternatives


def test_an_application_answers_while_its_networks_load_and_says_so(tmp_path, monkeypatch):
    loading = threading.Event()
    monkeypatch.setattr(
        "ris.assembly.load_pipeline",
        lambda plan, *parts: loading.wait(60) and load_squares_pipeline(plan),
    )

    application = assemble(Settings(database_url=make_database(tmp_path)))
    state = application.worker.get_state()
    loading.set()
    application.close()

    assert state == ModelState(ModelStatus.LOADING)


def test_only_a_server_with_a_key_writes_predictions(tmp_path, monkeypatch):
    monkeypatch.setattr("ris.assembly.load_pipeline", load_squares_pipeline)
    url = make_database(tmp_path)
    found = {}
    for key in (None, SecretStr("secret")):
        application = assemble(Settings(database_url=url, label_studio_api_key=key, sync_interval_s=0))
        found[key] = application.delivering
        application.close()

    assert found[None] is None
    assert found[SecretStr("secret")] is not None


def test_a_sync_without_a_key_says_which_setting_lacks(tmp_path):
    with pytest.raises(SettingsError, match="RIS_LABEL_STUDIO_API_KEY is not set"):
        make_sync_service(Settings(database_url=make_database(tmp_path)), lambda tasks: True)


def test_the_server_and_the_command_learn_for_the_same_networks_and_methods(tmp_path, monkeypatch):
    monkeypatch.setattr("ris.assembly.load_pipeline", load_squares_pipeline)
    settings = Settings(database_url=make_database(tmp_path))
    learning, application = make_training_service(settings), assemble(settings)

    bases = {
        learning.base,
        application.training.base,
        application.suggesting.base_version,
        make_plan(settings).version,
    }
    learning.database.close()
    application.close()

    assert bases == {make_plan(settings).version}


def test_a_server_with_a_password_asks_webhooks_for_a_token_and_one_without_for_nothing(database):
    tokens = make_project_tokens(Settings(basic_auth_password=SecretStr("open")), database)

    assert make_project_tokens(Settings(), database) is None
    assert tokens.is_computed(make_webhook_token("open"))


def test_a_server_has_a_database_connection_for_each_of_its_threads():
    requests = sum(
        lane.n_threads for lane in LANES if not lane.paths & {"/health", "/health/ready", "/webhook"}
    )
    # The probe of /health/ready, the networks, the inbox, the deliveries, the sync and the training.
    others = 6

    assert requests + 2 * MAX_FETCHERS + others <= MAX_DATABASE_CONNECTIONS


@pytest.fixture(scope="module")
def classical():
    return load_pipeline(make_plan(Settings(_env_file=None, preset="classical")))


@pytest.fixture(scope="module")
def classical_scene(classical):
    return classical.see(Image.from_pixels(squares()))


def test_the_preset_without_a_network_has_one_method_for_words_of_place_and_colour(classical):
    assert [method.name for method in classical.methods] == ["attributes"]
    assert classical.version.startswith("classical-")


def test_the_preset_without_a_network_takes_the_words_it_can_use(classical, classical_scene):
    result = classical.refer(classical_scene, "the red mug")

    place = rle.decode_rle(result.suggestions[0].mask)
    assert squares()[place].mean(0).argmax() == 0
    assert result.scores[0].evidence["words not used"] == "mug: not recognised without a network"


def test_the_preset_without_a_network_unites_several_things(classical, classical_scene):
    first, *_ = classical.refer(classical_scene, "the two mugs").suggestions

    singles = [mask for mask in classical_scene.masks if mask == first.mask]
    assert singles == []


def test_a_preset_with_networks_keeps_its_method_for_places():
    plan = make_plan(Settings(_env_file=None))

    assert [m.name for m in load_pipeline(plan).methods] == ["global-local", "lgd", "iterprime", "spatial"]


def test_a_describer_is_not_asked_where_no_method_asks_one():
    settings = Settings(
        _env_file=None, preset="classical", describer_model="chat", describer_url="http://d/v1"
    )

    plan = make_plan(settings)

    assert (
        plan.describer == "none"
        and plan.version == make_plan(Settings(_env_file=None, preset="classical")).version
    )
    assert [m.name for m in load_pipeline(plan).methods] == ["attributes"]


def test_the_first_photograph_is_logged_with_the_preset_that_suits_it_and_no_other(caplog):
    pixels = np.asarray(Pillow.open(Path(skimage.__file__).parent / "data" / "coffee.png").convert("RGB"))
    photograph, drawn = Image.from_pixels(pixels), Image.from_pixels(squares())
    pictures = iter([drawn, photograph, photograph])
    fetch = warn_of_photographs(Settings(_env_file=None), lambda task: next(pictures))

    fetched = [fetch(Task(number, "1.1", "a.png", "the mug")) for number in range(3)]

    assert fetched == [drawn, photograph, photograph]
    (line,) = caplog.messages
    assert line.startswith("task 1 of project 1.1: these pictures look like photographs")


@pytest.fixture
def grounded(tmp_path):
    """A server that knows the squares, and settings with a finding about it."""
    with VlmServer() as server:
        box = (2, 2, 10, 10)
        server.tell(squares(), {"the red thing": [box]}, [box])
        settings = Settings(
            _env_file=None, preset="classical", vlm_url=server.url, vlm_model="m", models_folder=tmp_path,
            database_url=make_database(tmp_path),
        )  # fmt: skip
        found = Finding("m", "qwen3-vl", "json", ("bbox_2d",), Reading(), 1.0, 0.0, True)
        write_finding(get_finding_path(tmp_path, server.url, "m"), found)
        yield server, settings


def test_a_vision_language_model_grounds_after_its_probe_only(grounded, tmp_path):
    _, settings = grounded
    unprobed = make_plan(settings.model_copy(update={"models_folder": tmp_path / "other"}))
    probed = make_plan(settings)

    assert [m.name for m in load_pipeline(unprobed).methods] == ["attributes"]
    assert [m.name for m in load_pipeline(probed).methods] == ["grounder", "attributes"]
    assert unprobed.version != probed.version


def test_a_probed_model_verifies_too_unless_the_margin_is_zero(grounded):
    _, settings = grounded
    probed = make_plan(settings)
    alone = make_plan(settings.model_copy(update={"verifier_margin": 0.0}))

    assert load_pipeline(probed).method_names == ("grounder", "attributes", "verifier")
    assert load_pipeline(alone).method_names == ("grounder", "attributes")
    assert probed.version != alone.version


def test_what_a_team_wants_chosen_in_advance_changes_no_version(grounded):
    _, settings = grounded
    eager = make_plan(settings.model_copy(update={"no_referent_prechosen_from": 0.8}))

    assert load_pipeline(eager).ranking.prechosen_from == 0.8
    assert eager.version == make_plan(settings).version


def test_the_answers_of_the_vision_language_model_are_kept_and_counted(grounded):
    server, settings = grounded
    picture = io.BytesIO()
    Pillow.fromarray(squares()).save(picture, "PNG")
    reference = f"data:image/png;base64,{base64.b64encode(picture.getvalue()).decode()}"
    for project in ("1.1700000000", "2.1700000000"):
        application = assemble(settings)
        task = Task(1, project, reference, "the red thing")
        (answer,) = application.suggesting.suggest([task], deadline_s=60)
        usage = application.vlm_usage
        application.close()
        assert "grounder" in answer.alternatives[0].suggestion.methods

    assert len(server.asked) == 1
    assert usage.lookups["miss"] == 0
