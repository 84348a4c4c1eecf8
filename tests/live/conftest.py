"""One real Label Studio for all live tests."""

import pytest

from ris.labelstudio.api.client import LabelStudioClient
from ris.tinyworld.samples import make_samples
from tests.live.support.studio import DEMO_TOKEN, LabelStudioServer
from tests.store.conftest import empty_url, postgres

__all__ = ["empty_url", "postgres"]


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
