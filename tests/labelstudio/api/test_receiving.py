import gzip
import socket
import threading
import time

import httpx
import pytest

from ris.errors import LabelStudioError
from ris.labelstudio.api.client import LabelStudioClient
from ris.labelstudio.api.receiving import receive_content

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n"


def make_response(content, encoding=""):
    return httpx.Response(200, headers={"Content-Encoding": encoding}, stream=httpx.ByteStream(content))


def test_content_is_received_unpacked():
    assert receive_content(make_response(b"abc"), 3) == b"abc"
    assert receive_content(make_response(gzip.compress(b"abc"), "gzip"), 3) == b"abc"


@pytest.mark.parametrize("packed", [(b"abcd", ""), (gzip.compress(bytes(10**6)), "gzip")])
def test_more_than_the_limit_is_left(packed):
    with pytest.raises(LabelStudioError, match="its answer has more than 0 MiB"):
        receive_content(make_response(*packed), 3)


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, br", "x" * 50])
def test_an_encoding_that_unpacks_into_any_size_is_refused(encoding):
    with pytest.raises(LabelStudioError, match="only gzip can be unpacked"):
        receive_content(make_response(b"abc", encoding), 3)


@pytest.fixture
def serve():
    """Start a server that sends some bytes at once and further ones slowly; yields its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    closing = threading.Event()

    def start(at_once, slowly):
        def work():
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(at_once)
                while not closing.wait(0.05):
                    try:
                        connection.sendall(slowly)
                    except OSError:
                        return

        threading.Thread(target=work, daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    closing.set()
    listener.close()


@pytest.mark.parametrize(
    ("at_once", "slowly"), [(HEAD + b"\r\n", b" "), (HEAD, b"X"), (b"", b"H"), (HEAD + b"\r\n[1,", b"")]
)
def test_an_answer_byte_by_byte_ends_at_its_limit_though_every_read_is_in_time(serve, at_once, slowly):
    client = LabelStudioClient(serve(at_once, slowly), None, timeout_s=30, answer_limit_s=0.5)

    with pytest.raises(LabelStudioError, match=r"was not complete after 0.5 s|does not answer: ReadTimeout"):
        client.call("GET", "/api/version")


def test_the_calls_of_a_command_share_one_time(serve):
    url = serve(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", b"")
    client = LabelStudioClient(url, None, total_s=0.3)
    assert client.call("GET", "/api/version") == {}
    time.sleep(0.3)

    with pytest.raises(LabelStudioError, match=r"took more than 0.3 s for the calls of this command"):
        client.call("GET", "/api/version")
