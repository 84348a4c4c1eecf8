"""The client against a Label Studio that behaves, over real HTTP."""

import pytest

from ris.errors import LabelStudioError
from ris.labelstudio.api.client import LabelStudioClient
from ris.labelstudio.api.fetching import ImageSource
from tests.labelstudio.studio import LEGACY, PNG, FakeStudio, jwt


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


def test_under_a_sub_path_a_personal_access_token_is_exchanged_there():
    studio = FakeStudio(sub_path="/label-studio")

    assert LabelStudioClient(studio.url, jwt("refresh", 10_000)).call("GET", "/api/version")["release"]

    assert [path for path, _ in studio.asked] == [
        "/label-studio/api/token/refresh/",
        "/label-studio/api/version",
    ]
    studio.shutdown()


def test_an_address_that_is_another_site_says_to_check_it(client):
    with pytest.raises(
        LabelStudioError, match="answered no JSON to GET /api/html: is RIS_LABEL_STUDIO_URL .* sub-path"
    ):
        client.call("GET", "/api/html")


def test_an_upload_that_nobody_answers_is_one_sentence():
    with pytest.raises(LabelStudioError, match="does not answer: ConnectionError"):
        LabelStudioClient("http://127.0.0.1:9", LEGACY).upload(1, "a.png", b"")


@pytest.mark.parametrize("sub_path", ["", "/label-studio"])
def test_an_upload_is_referred_to_as_label_studio_itself_does(sub_path):
    studio = FakeStudio(sub_path=sub_path)
    client = LabelStudioClient(studio.url, LEGACY)

    reference = client.upload(1, "a.png", PNG)

    assert reference == f"{sub_path}/data/upload/1/5-a.png"
    assert ImageSource(client).fetch(reference, 1) == PNG
    studio.shutdown()
