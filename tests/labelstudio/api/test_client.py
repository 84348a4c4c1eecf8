"""The client against a fake Label Studio, over real HTTP."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from ris.errors import LabelStudioDenied, LabelStudioError, LabelStudioRefusal
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
    with pytest.raises(LabelStudioError, match="does not answer: ConnectError"):
        LabelStudioClient("http://127.0.0.1:9", LEGACY).upload(1, "a.png", b"")


@pytest.mark.parametrize("sub_path", ["", "/label-studio"])
def test_an_upload_is_referred_to_as_label_studio_itself_does(sub_path):
    studio = FakeStudio(sub_path=sub_path)
    client = LabelStudioClient(studio.url, LEGACY)

    reference = client.upload(1, "a.png", PNG)

    assert reference == f"{sub_path}/data/upload/1/5-a.png"
    assert ImageSource(client).fetch(reference, 1) == PNG
    studio.shutdown()


def refreshes(studio):
    return [path for path, _ in studio.asked if path.endswith("/api/token/refresh/")]


def test_a_legacy_token_is_sent_as_it_is(client, studio):
    assert client.auth() == {"Authorization": f"Token {LEGACY}"}
    assert studio.asked == []


@pytest.mark.parametrize(("lifetime_s", "expected"), [(300, 1), (5, 3)])
def test_an_access_token_is_used_until_it_ends(studio, lifetime_s, expected):
    studio.access_lifetime_s = lifetime_s
    client = LabelStudioClient(studio.url, jwt("refresh", 10_000))

    for _ in range(3):
        client.call("GET", "/api/version")

    assert len(refreshes(studio)) == expected


def test_threads_that_start_together_exchange_a_token_once(studio):
    client = LabelStudioClient(studio.url, jwt("refresh", 10_000))

    with ThreadPoolExecutor(8) as pool:
        headers = list(pool.map(lambda _: client.auth()["Authorization"], range(8)))

    assert len(set(headers)) == len(refreshes(studio)) == 1


def test_a_personal_access_token_that_has_ended_is_not_sent(studio):
    with pytest.raises(LabelStudioDenied, match=r"does not take RIS_LABEL_STUDIO_API_KEY \(it ended on 20"):
        LabelStudioClient(studio.url, jwt("refresh", -10)).call("GET", "/api/version")
    assert studio.asked == []


@pytest.mark.parametrize(
    ("status", "body", "error", "message"),
    [
        (401, b"{}", LabelStudioDenied, r"does not take RIS_LABEL_STUDIO_API_KEY \(401\): make a new one"),
        (
            404,
            b"<html>",
            LabelStudioRefusal,
            "answered 404 to POST /api/token/refresh/: is RIS_LABEL_STUDIO_URL",
        ),
        (502, b"<p>\n Bad", LabelStudioError, "answered 502 to POST /api/token/refresh/: <p> Bad"),
        (200, b"<html>", LabelStudioError, "answered no JSON to POST /api/token/refresh/"),
        (200, b"[]", LabelStudioError, "gave no access token: is RIS_LABEL_STUDIO_URL Label Studio's addr"),
    ],
)
def test_a_token_that_cannot_be_exchanged_says_why(studio, status, body, error, message):
    studio.refresh_answer = (status, body)

    with pytest.raises(LabelStudioError, match=message) as raised:
        LabelStudioClient(studio.url, jwt("refresh", 10_000)).auth()

    assert type(raised.value) is error


@pytest.mark.parametrize("key", ["abc def", "abc\n", "ключ"])
def test_a_key_that_was_copied_wrongly_says_so_and_is_not_shown(studio, key):
    with pytest.raises(LabelStudioDenied, match="RIS_LABEL_STUDIO_API_KEY has characters") as raised:
        LabelStudioClient(studio.url, key).call("GET", "/api/version")
    assert key.strip() not in str(raised.value)
    assert studio.asked == []


@pytest.mark.parametrize("url", ["http://[::1", "http://ls:x"])
def test_an_address_that_is_none_says_which_setting_to_check(url):
    with pytest.raises(LabelStudioError, match="is no address .*; check RIS_LABEL_STUDIO_URL"):
        LabelStudioClient(url, LEGACY).call("GET", "/api/version")


def test_no_redirect_of_an_answer_is_followed_and_both_addresses_are_told(studio):
    other = FakeStudio(allowed=[None])
    studio.redirects["/api/old"] = "/api/new"
    studio.redirects["/api/far"] = (
        f"http://me:secret@127.0.0.1:{other.server_port}/api/new?token=secret#secret"
    )
    studio.redirects["/api/odd"] = "http://[::1"
    client = LabelStudioClient(studio.url, LEGACY)
    with pytest.raises(LabelStudioError, match="does not answer: RemoteProtocolError"):
        client.call("GET", "/api/odd")

    targets = {"old": f"{studio.url}/api/new", "far": f"{other.url}/api/new"}
    for name, target in targets.items():
        for method in ("GET", "POST"):
            with pytest.raises(LabelStudioError) as caught:
                client.call(method, f"/api/{name}", {"headers": {"Authorization": "Bearer secret"}})
            assert f"{studio.url}/api/{name} redirects to {target}, and no key" in str(caught.value)
            assert "secret" not in str(caught.value)
    assert other.asked == []
    other.shutdown()


def test_the_refresh_token_follows_no_redirect(studio):
    other = FakeStudio()
    studio.redirects["/api/token/refresh/"] = f"{other.url}/api/token/refresh/"

    with pytest.raises(LabelStudioError, match="set RIS_LABEL_STUDIO_URL to the address") as caught:
        LabelStudioClient(studio.url, jwt("refresh", 3600)).call("GET", "/api/version")
    assert f"{studio.url}/api/token/refresh/ redirects to {other.url}/api/token/refresh/" in str(caught.value)
    assert other.asked == []
    assert [path for path, _ in studio.asked] == ["/api/token/refresh/"]
    other.shutdown()


def test_a_file_follows_no_redirect(studio):
    other = FakeStudio()
    studio.redirects["/api/projects/1/import?commit_to_project=false"] = f"{other.url}/api/projects/1/import"

    with pytest.raises(LabelStudioError, match="redirects to"):
        LabelStudioClient(studio.url, LEGACY).upload(1, "a.png", PNG)
    assert other.asked == []
    other.shutdown()
