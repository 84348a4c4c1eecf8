"""Hosts that are slow in every part of an answer, and that send without an end."""

import contextlib
import gzip
import socket
import threading

import httpcore
import pytest

from ris.errors import ImageUnreachable, LabelStudioError
from ris.labelstudio.api.client import LabelStudioClient
from ris.labelstudio.api.deadline import Deadline, DeadlineBackend, DeadlineStream
from ris.labelstudio.api.fetching import ImageSource
from tests.labelstudio.studio import PNG

LATE = r"it took longer than 0\.6 s"


def is_hung_up(connection):
    try:
        return connection.recv(1, socket.MSG_DONTWAIT | socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False


class Host:
    """Answers each connection with the chunks of a function, one each 50 ms, until the caller hangs up."""

    def __init__(self, chunks, *, reads_request=True):
        self.chunks, self.reads_request = chunks, reads_request
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.stopped, self.left = threading.Event(), threading.Semaphore(0)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self.answer, args=(connection,), daemon=True).start()

    def answer(self, connection):
        with connection, contextlib.suppress(OSError):
            if self.reads_request:
                connection.recv(10_000)
            for chunk in self.chunks(self.url):
                connection.sendall(chunk)
                if self.stopped.wait(0.05) or is_hung_up(connection):
                    break
        self.left.release()

    def fetch(self, timeout_s=0.6, max_bytes=10_000):
        source = ImageSource(LabelStudioClient(self.url, None), timeout_s=timeout_s, max_bytes=max_bytes)
        return source.fetch("/data/upload/1/a.png", 17)

    def close(self):
        self.stopped.set()
        self.listener.close()


@pytest.fixture
def host():
    hosts = []

    def make(chunks, **more):
        hosts.append(Host(chunks, **more))
        return hosts[-1]

    yield make
    for one in hosts:
        one.close()


def forever(start, again):
    def chunks(url):
        yield start
        while True:
            yield again

    return chunks


SLOW = {
    "nothing": forever(b"", b""),
    "the status line": forever(b"HTTP/1.1 200 ", b"O"),
    "headers": forever(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n"),
    "one header": forever(b"HTTP/1.1 200 OK\r\nX-A: ", b"b"),
    "early hints": forever(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "continue": forever(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "the body": forever(b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n", b"x"),
    "chunks": forever(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "the head of a chunk": forever(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1", b";"),
    "trailers": forever(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"A: b\r\n"),
    "until closed": forever(b"HTTP/1.1 200 OK\r\n\r\n", b"x"),
    "packed": forever(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"x")[:10], b""),
}


@pytest.mark.parametrize("chunks", SLOW.values(), ids=SLOW)
def test_a_host_that_is_slow_with_any_part_of_an_answer_is_left_and_hung_up_on(host, chunks):
    slow = host(chunks)

    with pytest.raises(ImageUnreachable, match=f"the image of task 17: {LATE}"):
        slow.fetch()

    assert slow.left.acquire(timeout=30)


def test_redirects_share_one_deadline(host):
    def chunks(url):
        for _ in range(5):  # a quarter of a second for each redirect
            yield b""
        head = f"HTTP/1.1 302 Found\r\nLocation: {url}/data/upload/1/b.png\r\n"
        yield head.encode() + b"Content-Length: 0\r\n\r\n"

    with pytest.raises(ImageUnreachable, match=LATE):
        host(chunks).fetch()


def test_a_tls_handshake_that_never_ends_is_left(host):
    silent = host(forever(b"", b""), reads_request=False)
    address = silent.url.replace("http://", "")
    source = ImageSource(LabelStudioClient("http://ls", None), image_hosts=(address,), timeout_s=0.6)

    with pytest.raises(ImageUnreachable, match=LATE):
        source.fetch(f"https://{address}/a.png", 17)


def test_a_slow_answer_behind_a_proxy_is_left(host, monkeypatch):
    proxy = host(SLOW["headers"])
    monkeypatch.setenv("http_proxy", proxy.url)
    source = ImageSource(LabelStudioClient("http://ls", None), timeout_s=0.6)

    with pytest.raises(ImageUnreachable, match=LATE):
        source.fetch("/data/upload/1/a.png", 17)


ENDLESS = {
    "until closed": forever(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 4000),
    "chunked": forever(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"fa0\r\n" + b"x" * 4000 + b"\r\n"
    ),
    "announced": forever(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", b""),
    "announced in more digits than a number has": forever(
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", b"x" * 4000
    ),
    "packed": forever(
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(bytes(10**7)), b""
    ),
}


@pytest.mark.parametrize("chunks", ENDLESS.values(), ids=ENDLESS)
def test_a_body_over_the_limit_is_left_at_the_limit(host, chunks):
    with pytest.raises(ImageUnreachable, match="more than 0 MiB; set RIS_MAX_IMAGE_BYTES"):
        host(chunks).fetch(timeout_s=30)


LYING = {
    "shorter than it says": b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n" + PNG,
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\n" + PNG,
    "a negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n" + PNG,
    "a length in words": b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n" + PNG,
    "a chunk without a length": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + PNG,
    "packed in name only": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd",
    "endless headers": b"HTTP/1.1 200 OK\r\n" + b"X-A: " + b"b" * 200_000,
    "another protocol": b"SSH-2.0-OpenSSH_9.2\r\n",
    "no answer": b"",
}


@pytest.mark.parametrize("answer", LYING.values(), ids=LYING)
def test_an_answer_that_lies_is_one_sentence(host, answer):
    with pytest.raises(
        ImageUnreachable, match=r"^cannot fetch the image of task 17: .*(broke after|no valid)"
    ):
        host(lambda url: [answer]).fetch(timeout_s=30)


def test_bytes_after_the_announced_length_are_not_the_pictures(host):
    answer = f"HTTP/1.1 200 OK\r\nContent-Length: {len(PNG)}\r\n\r\n".encode() + PNG + b"more" * 1000

    assert host(lambda url: [answer]).fetch(timeout_s=30) == PNG


class SlowResolver(httpcore.NetworkBackend):
    """Connects once it may: a name server that does not answer."""

    def __init__(self):
        self.may_answer, self.stream = threading.Event(), RecordingStream()

    def connect_tcp(self, *args, **more):
        self.may_answer.wait()
        return self.stream


class RecordingStream(httpcore.NetworkStream):
    def __init__(self):
        self.closed = threading.Event()

    def close(self):
        self.closed.set()


def test_a_name_server_that_does_not_answer_is_left_and_what_it_opens_later_is_closed():
    slow = SlowResolver()

    with pytest.raises(LabelStudioError, match=r"it took longer than 0\.1 s"):
        DeadlineBackend(slow, Deadline.from_now(0.1)).connect_tcp("slow.example.com", 80)

    slow.may_answer.set()
    assert slow.stream.closed.wait(10)


def test_nothing_is_called_after_the_deadline():
    over = Deadline.from_now(0)

    with pytest.raises(LabelStudioError, match="it took longer than 0 s"):
        DeadlineStream(RecordingStream(), over).read(10)
    with pytest.raises(LabelStudioError, match="it took longer than 0 s"):
        DeadlineBackend(SlowResolver(), over).connect_tcp("example.com", 80)
