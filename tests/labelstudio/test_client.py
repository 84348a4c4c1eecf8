"""The client against a Label Studio that behaves, over real HTTP: it checks keys and keeps what is asked."""

import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from backend.errors import ImageUnreachable, LabelStudioError
from backend.labelstudio.client import LabelStudioClient

LEGACY = "0123456789abcdef0123456789abcdef01234567"
PNG = b"\x89PNG a picture"


def jwt(kind, seconds):
    """An unsigned token, as much as a client reads of one."""
    parts = [{"alg": "none"}, {"token_type": kind, "exp": int(time.time()) + seconds}]
    return (
        ".".join(base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") for p in parts) + ".eA"
    )


class FakeStudio(ThreadingHTTPServer):
    """Gives pictures and answers to who has the key; `asked` is every request it got."""

    def __init__(self, *, allowed=(f"Token {LEGACY}",)):
        super().__init__(("127.0.0.1", 0), Handler)
        self.allowed, self.asked, self.redirects = set(allowed), [], {}
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_POST(self):
        length = int(self.headers.get("Content-Length") or 0)
        sent = self.rfile.read(length)
        self.server.asked.append((self.path, self.headers.get("Authorization")))
        if self.path.startswith("/api/token/refresh"):
            access = jwt("access", 300)
            self.server.allowed.add(f"Bearer {access}")
            return self.answer(200, json.dumps({"access": access}).encode())
        return self.guarded(lambda: self.answer(201, json.dumps({"id": 7, "sent": len(sent)}).encode()))

    def do_GET(self):
        self.server.asked.append((self.path, self.headers.get("Authorization")))
        if self.path in self.server.redirects:
            self.send_response(302)
            self.send_header("Location", self.server.redirects[self.path])
            self.send_header("Content-Length", "0")
            return self.end_headers()
        return self.guarded(self.picture)

    def guarded(self, then):
        if self.headers.get("Authorization") not in self.server.allowed:
            return self.answer(401, b'{"detail": "no"}')
        return then()

    def picture(self):
        if "missing" in self.path:
            return self.answer(404, b"{}")
        if "broken" in self.path:
            return self.answer(500, b"{}")
        if "large" in self.path:
            return self.answer(200, b"x" * 5000)
        return self.answer(200, PNG)

    def answer(self, status, content):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture
def studio():
    studio = FakeStudio()
    yield studio
    studio.shutdown()
    studio.server_close()


@pytest.fixture
def client(studio):
    return LabelStudioClient(studio.url, LEGACY, max_bytes=2000, timeout_s=10)


@pytest.mark.parametrize(
    "reference",
    [
        "/data/upload/1/a.png",
        "upload/1/a.png",
        "/data/local-files/?d=a/b.png",
        "/storage-data/uploaded/?filepath=x",
    ],
)
def test_pictures_of_label_studio_are_fetched_with_our_key(client, studio, reference):
    assert client.fetch_image(reference, 17) == PNG
    assert [key for _, key in studio.asked] == [f"Token {LEGACY}"]


def test_an_absolute_address_of_label_studio_is_its_own(client, studio):
    assert client.fetch_image(f"{studio.url}/data/upload/1/a.png", 17) == PNG


def test_a_personal_access_token_is_exchanged_once_for_many_pictures(studio):
    client = LabelStudioClient(studio.url, jwt("refresh", 10_000))

    assert [client.fetch_image("/data/upload/1/a.png", 1) for _ in range(3)] == [PNG] * 3
    refreshes = [path for path, _ in studio.asked if path.startswith("/api/token/refresh")]
    assert len(refreshes) == 1


def test_an_expired_token_says_to_make_a_new_one(studio):
    client = LabelStudioClient(studio.url, jwt("refresh", -10))

    with pytest.raises(ImageUnreachable, match="does not take RIS_LABEL_STUDIO_API_KEY .*make a new one"):
        client.fetch_image("/data/upload/1/a.png", 17)


@pytest.mark.parametrize(
    "reference",
    [
        "/api/current-user/whoami",
        "/data/upload/../../api/ml?project=1",
        "/data/upload/%2e%2e/%2e%2e/api/ml",
        "/data/upload/%252e%252e/%252e%252e/api/ml",
        "/data/upload/..\\..\\api",
        "//evil.example/data/upload/a.png",
        "http://evil.example/data/upload/1/a.png",
        "http://user:pw@127.0.0.1/data/upload/1/a.png",
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "ftp://host/a.png",
    ],
)
def test_whoever_writes_a_task_cannot_make_us_call_anything_else(client, studio, reference):
    with pytest.raises(ImageUnreachable, match="cannot fetch the image of task 17: "):
        client.fetch_image(reference, 17)
    assert studio.asked == []


def test_a_redirect_to_another_host_is_refused_and_our_key_never_goes_there(client, studio):
    other = FakeStudio()
    studio.redirects["/data/upload/1/a.png"] = f"{other.url}/data/upload/1/a.png"

    with pytest.raises(ImageUnreachable, match="host '127.0.0.1' is not allowed"):
        client.fetch_image("/data/upload/1/a.png", 17)

    assert other.asked == []
    other.shutdown()


def test_a_host_that_was_allowed_is_asked_without_our_key(studio):
    other = FakeStudio(allowed=[None])
    host = other.url.removeprefix("http://")
    client = LabelStudioClient(studio.url, LEGACY, image_hosts=(host,))

    assert client.fetch_image(f"{other.url}/some/a.png", 17) == PNG
    assert other.asked == [("/some/a.png", None)]
    other.shutdown()


def test_cloud_storage_goes_through_label_studio(client, studio):
    code = base64.urlsafe_b64encode(b"s3://bucket/a.png").decode().replace("=", "%3D")

    assert client.fetch_image("s3://bucket/a.png", 17) == PNG
    assert studio.asked[0][0] == f"/tasks/17/presign/?fileuri={code}"


def test_a_redirect_that_never_ends_is_left(client, studio):
    studio.redirects["/data/upload/1/a.png"] = f"{studio.url}/data/upload/1/a.png"

    with pytest.raises(ImageUnreachable, match="redirected more than 4 times"):
        client.fetch_image("/data/upload/1/a.png", 17)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing.png", "Label Studio answered 404; the file is not there"),
        ("broken.png", "Label Studio answered 500"),
        ("large.png", "more than 0 MiB; set RIS_MAX_IMAGE_BYTES"),
    ],
)
def test_what_cannot_be_fetched_is_one_sentence_with_the_task(client, name, message):
    with pytest.raises(ImageUnreachable, match=f"cannot fetch the image of task 17: .*{message}"):
        client.fetch_image(f"/data/upload/1/{name}", 17)


def test_a_key_that_is_refused_says_which_setting_to_check(studio):
    client = LabelStudioClient(studio.url, "f" * 40)

    with pytest.raises(ImageUnreachable, match="answered 401; check RIS_LABEL_STUDIO_API_KEY"):
        client.fetch_image("/data/upload/1/a.png", 17)


def test_nobody_there_is_one_sentence():
    client = LabelStudioClient("http://127.0.0.1:9", LEGACY)

    with pytest.raises(ImageUnreachable, match="127.0.0.1 does not answer"):
        client.fetch_image("/data/upload/1/a.png", 17)
    with pytest.raises(LabelStudioError, match="does not answer"):
        client.call("GET", "/api/projects")


def test_an_inline_picture_is_decoded_within_the_limit(client):
    assert client.fetch_image("data:image/png;base64," + base64.b64encode(PNG).decode(), 17) == PNG
    with pytest.raises(ImageUnreachable, match="more than 0 MiB"):
        client.fetch_image("data:image/png;base64," + "A" * 4000, 17)
    for bad in ("data:image/png,plain", "data:image/png;base64,???"):
        with pytest.raises(ImageUnreachable, match="is not base64"):
            client.fetch_image(bad, 17)


def test_calls_of_the_api_give_its_answer_or_its_words(client, studio):
    assert client.call("POST", "/api/projects", {"title": "x"})["id"] == 7
    with pytest.raises(LabelStudioError, match="answered 404 to GET /api/missing"):
        client.call("GET", "/api/missing")
    studio.allowed.clear()
    with pytest.raises(LabelStudioError, match="answered 401 to GET /api/x; check RIS_LABEL_STUDIO_API_KEY"):
        client.call("GET", "/api/x")


def test_a_client_does_not_show_its_key(client):
    assert LEGACY not in repr(client)
