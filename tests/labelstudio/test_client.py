"""The client against a Label Studio that behaves, over real HTTP."""

import pytest

from backend.errors import LabelStudioError
from backend.labelstudio.client import LabelStudioClient
from tests.labelstudio.studio import LEGACY, FakeStudio


@pytest.fixture
def studio():
    studio = FakeStudio()
    yield studio
    studio.shutdown()
    studio.server_close()


@pytest.fixture
def client(studio):
    return LabelStudioClient(studio.url, LEGACY, timeout_s=10)


def test_calls_of_the_api_give_its_answer_or_its_words(client, studio):
    assert client.call("POST", "/api/projects", {"title": "x"})["id"] == 7
    with pytest.raises(LabelStudioError, match="answered 404 to GET /api/missing"):
        client.call("GET", "/api/missing")
    studio.allowed.clear()
    with pytest.raises(LabelStudioError, match="answered 401 to GET /api/x; check RIS_LABEL_STUDIO_API_KEY"):
        client.call("GET", "/api/x")


def test_nobody_there_is_one_sentence():
    with pytest.raises(LabelStudioError, match="does not answer"):
        LabelStudioClient("http://127.0.0.1:9", LEGACY).call("GET", "/api/projects")


def test_a_client_does_not_show_its_key(client):
    assert LEGACY not in repr(client)
