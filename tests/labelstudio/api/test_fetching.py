"""Images from a fake Label Studio, and from hosts that misbehave."""

import base64
import gzip
import socket
import threading
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ris.errors import ImageUnreachable
from ris.labelstudio.api.addresses import IMAGE_PATHS
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
def source(studio):
    return ImageSource(LabelStudioClient(studio.url, LEGACY), max_bytes=2000, timeout_s=10)


@pytest.mark.parametrize(
    "reference",
    [
        "/data/upload/1/a.png",
        "upload/1/a.png",
        "/data/local-files/?d=a/b.png",
        "/storage-data/uploaded/?filepath=x",
    ],
)
def test_pictures_of_label_studio_are_fetched_with_our_key(source, studio, reference):
    assert source.fetch(reference, 17) == PNG
    assert [key for _, key in studio.asked] == [f"Token {LEGACY}"]


def test_an_absolute_address_of_label_studio_is_its_own(source, studio):
    assert source.fetch(f"{studio.url}/data/upload/1/a.png", 17) == PNG


def test_the_address_that_browsers_see_is_label_studio_too_and_no_other_is(studio):
    client = LabelStudioClient(studio.url, LEGACY)
    source = ImageSource(client, public_url="http://localhost:8080/")

    assert source.fetch("http://localhost:8080/data/local-files/?d=a/b.png", 17) == PNG
    assert studio.asked == [("/data/local-files/?d=a/b.png", f"Token {LEGACY}")]
    inside = ImageSource(client, public_url="https://example.com/studio")
    assert inside.fetch("https://example.com:443/studio/data/upload/1/a.png", 17) == PNG
    assert studio.asked[1][0] == "/data/upload/1/a.png"
    for other in ("http://localhost:8081/data/upload/a.png", "http://localhost:8080/api/current-user/whoami"):
        with pytest.raises(ImageUnreachable, match="is not allowed|cannot read"):
            source.fetch(other, 17)


def test_a_personal_access_token_is_exchanged_once_for_many_pictures(studio):
    source = ImageSource(LabelStudioClient(studio.url, jwt("refresh", 10_000)))

    assert [source.fetch("/data/upload/1/a.png", 1) for _ in range(3)] == [PNG] * 3
    refreshes = [path for path, _ in studio.asked if path.startswith("/api/token/refresh")]
    assert len(refreshes) == 1


def test_an_expired_token_says_to_make_a_new_one(studio):
    source = ImageSource(LabelStudioClient(studio.url, jwt("refresh", -10)))

    with pytest.raises(ImageUnreachable, match="does not take RIS_LABEL_STUDIO_API_KEY .*make a new one"):
        source.fetch("/data/upload/1/a.png", 17)


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
        "http://[::1/data/upload/a.png",
        "http://127.0.0.1:99999/data/upload/a.png",
        "http://127.0.0.1:x/data/upload/a.png",
        "",
    ],
)
def test_whoever_writes_a_task_cannot_make_us_call_anything_else(source, studio, reference):
    with pytest.raises(ImageUnreachable, match="cannot fetch the image of task 17: "):
        source.fetch(reference, 17)
    assert studio.asked == []


SUB = "/label-studio"


@pytest.fixture
def under(request):
    studio = FakeStudio(sub_path=SUB)
    yield studio
    studio.shutdown()
    studio.server_close()


@pytest.mark.parametrize(
    ("reference", "path"),
    [
        (f"{SUB}/data/upload/4/a.png", f"{SUB}/data/upload/4/a.png"),
        (f"{SUB}/data/local-files/?d=a/b.png", f"{SUB}/data/local-files/?d=a/b.png"),
        (f"{SUB}/storage-data/uploaded/?filepath=x", f"{SUB}/storage-data/uploaded/?filepath=x"),
        (f"{SUB}/tasks/1/resolve/?fileuri=czM6", f"{SUB}/tasks/1/resolve/?fileuri=czM6"),
        ("/data/upload/4/a.png", f"{SUB}/data/upload/4/a.png"),
        ("/projects/4/presign/?fileuri=czM6", f"{SUB}/projects/4/presign/?fileuri=czM6"),
        ("upload/7/a.png", f"{SUB}/data/upload/7/a.png"),
        ("URL/data/upload/4/a.png", f"{SUB}/data/upload/4/a.png"),
        ("https://labels.example.com/studio/data/upload/4/a.png", f"{SUB}/data/upload/4/a.png"),
        ("/studio/data/upload/4/a.png", f"{SUB}/data/upload/4/a.png"),
        ("s3://bucket/a.png", f"{SUB}/tasks/17/presign/?fileuri=czM6Ly9idWNrZXQvYS5wbmc%3D"),
    ],
)
@pytest.mark.parametrize("key", [LEGACY, jwt("refresh", 10_000)], ids=["legacy key", "access token"])
def test_under_a_sub_path_every_form_of_a_reference_is_fetched_once(under, reference, path, key):
    source = ImageSource(LabelStudioClient(under.url, key), public_url="https://labels.example.com/studio/")

    assert source.fetch(reference.replace("URL", under.url), 17) == PNG
    assert [asked for asked, _ in under.asked if "/token/refresh" not in asked] == [path]


def test_behind_a_proxy_that_takes_the_sub_path_off_it_is_told_by_the_public_address(studio):
    client = LabelStudioClient(studio.url, LEGACY)

    assert ImageSource(client, public_url=f"https://x{SUB}").fetch(f"{SUB}/data/upload/4/a.png", 1) == PNG
    assert [path for path, _ in studio.asked] == ["/data/upload/4/a.png"]
    with pytest.raises(ImageUnreachable, match="cannot read .*; for a sub-path set RIS_LABEL_STUDIO_PUBLIC"):
        ImageSource(client).fetch(f"{SUB}/data/upload/4/a.png", 1)


@pytest.mark.parametrize(
    "reference",
    [
        f"{SUB}/api/current-user/whoami",
        f"{SUB}/../api/current-user/whoami",
        f"{SUB}/data/upload/../../api/ml",
        f"{SUB}/data/upload/../../../api/ml",
        f"{SUB}/data/upload/%2e%2e%2f%2e%2e%2fapi/ml",
        f"{SUB}%2f..%2fapi/data/upload/a.png",
        f"{SUB}/..%5c..%5capi",
        f"{SUB}\\data\\upload\\a.png",
        f"{SUB}{SUB}/data/upload/a.png",
        f"{SUB}.evil.example/data/upload/a.png",
        f"{SUB}x/data/upload/a.png",
        "/other/data/upload/a.png",
        f"/api{SUB}/data/upload/a.png",
        f"//evil.example{SUB}/data/upload/a.png",
        f"https://evil.example{SUB}/data/upload/a.png",
        "https://labels.example.com/studio.evil.example/data/upload/a.png",
        "https://labels.example.com/studio/api/ml",
        "https://labels.example.com@evil.example/studio/data/upload/a.png",
        "URL/api/ml",
        "URL/../data/upload/../../api/ml",
        "URL.evil.example/data/upload/a.png",
        "HOST/other/data/upload/a.png",
        "/projects/4/presign/../../../api/ml",
        "/projects/x/presign/",
        "/data/uploads/a.png",
        "/x/tasks/1/resolve/",
    ],
)
def test_under_a_sub_path_nothing_else_is_called_either(under, reference):
    source = ImageSource(LabelStudioClient(under.url, LEGACY), public_url="https://labels.example.com/studio")
    reference = reference.replace("URL", under.url).replace("HOST", under.url.removesuffix(SUB))

    with pytest.raises(ImageUnreachable, match="cannot fetch the image of task 17: "):
        source.fetch(reference, 17)
    assert under.asked == []


def test_a_redirect_inside_of_a_sub_path_is_followed_and_one_out_of_it_is_not(under):
    under.redirects[f"{SUB}/data/upload/1/a.png"] = f"{SUB}/data/upload/1/b.png"
    under.redirects[f"{SUB}/data/upload/1/c.png"] = "/api/current-user/whoami"
    under.redirects[f"{SUB}/data/upload/1/d.png"] = "http://[::1"
    source = ImageSource(LabelStudioClient(under.url, LEGACY))

    assert source.fetch("/data/upload/1/a.png", 17) == PNG
    for name, message in (
        ("c", "cannot read"),
        ("d", "gave no valid response: Invalid URL"),
    ):
        with pytest.raises(ImageUnreachable, match=message):
            source.fetch(f"/data/upload/1/{name}.png", 17)


def test_a_redirect_to_another_host_is_refused_and_our_key_never_goes_there(source, studio):
    other = FakeStudio()
    studio.redirects["/data/upload/1/a.png"] = f"{other.url}/data/upload/1/a.png"

    with pytest.raises(ImageUnreachable, match="host '127.0.0.1' is not allowed"):
        source.fetch("/data/upload/1/a.png", 17)

    assert other.asked == []
    other.shutdown()


def test_a_host_that_was_allowed_is_asked_without_our_key(studio):
    other = FakeStudio(allowed=[None])
    host = other.url.removeprefix("http://")
    source = ImageSource(LabelStudioClient(studio.url, LEGACY), image_hosts=(host,))

    assert source.fetch(f"{other.url}/some/a.png", 17) == PNG
    assert other.asked == [("/some/a.png", None)]
    other.shutdown()


def test_cloud_storage_goes_through_label_studio(source, studio):
    code = base64.urlsafe_b64encode(b"s3://bucket/a.png").decode().replace("=", "%3D")

    assert source.fetch("s3://bucket/a.png", 17) == PNG
    assert studio.asked[0][0] == f"/tasks/17/presign/?fileuri={code}"


def test_a_redirect_that_never_ends_is_left(source, studio):
    studio.redirects["/data/upload/1/a.png"] = f"{studio.url}/data/upload/1/a.png"

    with pytest.raises(ImageUnreachable, match="redirected more than 4 times"):
        source.fetch("/data/upload/1/a.png", 17)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing.png", "Label Studio answered 404; the file is not there"),
        ("broken.png", "Label Studio answered 500"),
        ("large.png", "more than 0 MiB; set RIS_MAX_IMAGE_BYTES"),
    ],
)
def test_what_cannot_be_fetched_is_one_sentence_with_the_task(source, name, message):
    with pytest.raises(ImageUnreachable, match=f"cannot fetch the image of task 17: .*{message}"):
        source.fetch(f"/data/upload/1/{name}", 17)


def test_a_key_that_is_refused_says_which_setting_to_check(studio):
    source = ImageSource(LabelStudioClient(studio.url, "f" * 40))

    with pytest.raises(ImageUnreachable, match="answered 401; check RIS_LABEL_STUDIO_API_KEY"):
        source.fetch("/data/upload/1/a.png", 17)


def test_nobody_there_is_one_sentence():
    source = ImageSource(LabelStudioClient("http://127.0.0.1:9", LEGACY))

    with pytest.raises(ImageUnreachable, match="127.0.0.1 does not answer"):
        source.fetch("/data/upload/1/a.png", 17)


def serve_once(response):
    """Answer one request with these bytes; return the address."""
    listener = socket.create_server(("127.0.0.1", 0))

    def answer():
        connection, _ = listener.accept()
        with listener, connection:
            connection.recv(2000)
            connection.sendall(response)

    threading.Thread(target=answer, daemon=True).start()
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


def make_encoded_answer(encoding, body):
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def test_a_picture_that_is_sent_packed_is_unpacked_and_measured_unpacked():
    url = serve_once(make_encoded_answer("gzip", gzip.compress(PNG)))
    assert ImageSource(LabelStudioClient(url, None)).fetch("/data/upload/1/a.png", 17) == PNG

    bomb = serve_once(make_encoded_answer("gzip", gzip.compress(bytes(10_000_000))))
    with pytest.raises(ImageUnreachable, match="more than 1 MiB; set RIS_MAX_IMAGE_BYTES"):
        ImageSource(LabelStudioClient(bomb, None), max_bytes=2**20).fetch("/data/upload/1/a.png", 17)


def test_a_packing_that_could_unpack_into_any_size_is_refused():
    url = serve_once(make_encoded_answer("br", b"x"))

    with pytest.raises(ImageUnreachable, match="its host packed it as 'br', and only gzip can be unpacked"):
        ImageSource(LabelStudioClient(url, None)).fetch("/data/upload/1/a.png", 17)


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("http://cdn.example.com/a\x7f.png", "its address cannot be read: Invalid non-printable"),
        ("http://cdn.example.com/" + "a" * 70_000, "its address cannot be read: URL too long"),
        ("http://cdn..example.com/a.png", "cdn..example.com does not answer: UnicodeError"),
        ("http://[", "its address cannot be read: Invalid IPv6 URL"),
        ("http://cdn.example.com:99999/a.png", "its address cannot be read: Port out of range 0-65535"),
        ("s3://[", "its address cannot be read: Invalid IPv6 URL"),
        ("s3://bucket/\ud800.png", "its address holds half of a character"),
        ("/data/upload/1/\ud800.png", "its address holds half of a character"),
        ("/data/upload/1/a%2500.png", "its path holds a backslash or a control character"),
        ("http://me:secret@cdn.example.com/a.png", "a plain http.s. address, without user and password"),
        ("file:///etc/passwd", "its reference starts with 'file'"),
        ("http://xn--a/a.png", "its address cannot be read: Codepoint"),
    ],
)
def test_an_address_that_no_client_can_call_is_one_sentence(studio, reference, message):
    hosts = ("cdn.example.com", "cdn..example.com", "xn--a")
    source = ImageSource(LabelStudioClient(studio.url, LEGACY), image_hosts=hosts)

    with pytest.raises(ImageUnreachable, match=message):
        source.fetch(reference, 17)


URL_PIECES = st.sampled_from([
    "http://", "https://", "HTTP://", "s3://", "gs://", "azure-blob://", "file://", "data:", "//", "/", "..",
    "%2e", "%00", "%2500", "%zz", "%5B", "[", "]", "::1", "fe80::1%25lo", "@", "me:secret@", ":", ":99999",
    ":-1",
    ":\u0663", "\\", "?", "#", "&", "fileuri=", " ", "\t", "\x00", "\ud800", "\udfff", "\u202e", "\u2100",
    "\uff0e", "\uff11", "xn--", "xn--a", "0x7f.1", "127.0.0.1", "HERE", "cdn.invalid", "evil.invalid",
    "a" * 70, "/data/upload/1/a.png", "/tasks/7/presign/", "/api/projects/", ";base64,", "\U0001f600",
])  # fmt: skip
URL_LIKE = st.lists(URL_PIECES | st.text(max_size=3), max_size=8).map("".join)


def fetch_or_refuse(studio, reference):
    """Fetch a reference in which HERE is the studio's host; what it raises is an ImageUnreachable."""
    source = ImageSource(
        LabelStudioClient(studio.url, LEGACY, timeout_s=5), image_hosts=("cdn.invalid", "xn--a")
    )
    with suppress(ImageUnreachable):
        source.fetch(reference.replace("HERE", f"127.0.0.1:{studio.server_port}"), 17)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=100)
@given(reference=URL_LIKE)
def test_whatever_a_reference_is_it_is_fetched_or_unreachable_and_no_other_path_is_called(studio, reference):
    studio.asked.clear()

    fetch_or_refuse(studio, reference)

    assert all(IMAGE_PATHS.match(path) for path, _ in studio.asked)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=100)
@given(location=URL_LIKE)
def test_wherever_a_redirect_leads_it_is_fetched_or_unreachable(studio, location):
    studio.asked.clear()
    there = location.replace("HERE", f"127.0.0.1:{studio.server_port}")
    sent = "".join(c for c in there if c not in "\r\n").encode("utf-8", "surrogatepass").decode("latin-1")
    studio.redirects["/data/upload/1/moved.png"] = sent

    fetch_or_refuse(studio, "/data/upload/1/moved.png")

    assert all(IMAGE_PATHS.match(path) for path, _ in studio.asked)


def test_an_inline_picture_is_decoded_within_the_limit(source):
    assert source.fetch("data:image/png;base64," + base64.b64encode(PNG).decode(), 17) == PNG
    with pytest.raises(ImageUnreachable, match="more than 0 MiB"):
        source.fetch("data:image/png;base64," + "A" * 4000, 17)
    for bad in ("data:image/png,plain", "data:image/png;base64,???"):
        with pytest.raises(ImageUnreachable, match="is not base64"):
            source.fetch(bad, 17)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_an_allowed_name_that_leads_into_a_private_network_is_left_before_anything_is_sent(studio, scheme):
    """The address of the open connection is checked: a name can resolve differently each time."""
    heard = []
    listener = socket.create_server(("127.0.0.1", 0))

    def listen():
        connection, _ = listener.accept()
        heard.append(connection.recv(1000))

    hearing = threading.Thread(target=listen)
    hearing.start()
    port = listener.getsockname()[1]
    source = ImageSource(LabelStudioClient(studio.url, LEGACY), image_hosts=("localhost",))

    with pytest.raises(
        ImageUnreachable, match="host 'localhost' lies in a private network .* by its address"
    ):
        source.fetch(f"{scheme}://localhost:{port}/a.png", 17)

    hearing.join(10)
    listener.close()
    assert heard == [b""]


def test_an_allowed_host_may_not_redirect_to_a_private_one(studio):
    other = FakeStudio(allowed=[None])
    host = other.url.removeprefix("http://")
    other.redirects["/a.png"] = f"http://localhost:{other.server_port}/b.png"
    source = ImageSource(LabelStudioClient(studio.url, LEGACY), image_hosts=(host, "localhost"))

    with pytest.raises(ImageUnreachable, match="host 'localhost' lies in a private network"):
        source.fetch(f"{other.url}/a.png", 17)

    assert [path for path, _ in other.asked] == ["/a.png"]
    other.shutdown()


def test_a_host_that_sends_drop_by_drop_is_left_when_the_time_is_over():
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def drip():
        connection, _ = listener.accept()
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not over.wait(0.05):
            try:
                connection.sendall(b"x")
            except OSError:
                return

    dripping = threading.Thread(target=drip)
    dripping.start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    source = ImageSource(LabelStudioClient(url, None), timeout_s=0.5)

    with pytest.raises(ImageUnreachable, match=r"it took longer than 0\.5 s"):
        source.fetch("/data/upload/1/a.png", 17)

    assert not over.is_set()  # it would have gone on dripping
    over.set()
    dripping.join()
    listener.close()


def test_a_picture_that_breaks_off_says_after_how_many_bytes():
    listener = socket.create_server(("127.0.0.1", 0))

    def break_off():
        connection, _ = listener.accept()
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"x" * 40)
        connection.close()

    breaking = threading.Thread(target=break_off)
    breaking.start()
    source = ImageSource(LabelStudioClient(f"http://127.0.0.1:{listener.getsockname()[1]}", None))

    with pytest.raises(ImageUnreachable, match="the connection broke after 40 bytes"):
        source.fetch("/data/upload/1/a.png", 17)

    breaking.join(10)
    listener.close()
