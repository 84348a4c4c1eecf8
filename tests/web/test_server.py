"""The HTTP server: what slow, half-open and crowded connections can hold up."""

import socket
import threading
import time
from contextlib import contextmanager

import pytest

from ris.web import server as module
from ris.web.server import Lane, RequestServer, listen

FEW = (Lane(frozenset({"/health"}), 1), Lane(frozenset({"/webhook"}), 2), Lane(frozenset(), 2, max_waiting=3))
POST = b"POST /webhook HTTP/1.1\r\nHost: x\r\n"


class Application:
    """Answers with the body of the request; `/slow` first waits until `opened` is set."""

    def __init__(self):
        self.opened, self.begun = threading.Event(), threading.Semaphore(0)

    def __call__(self, environ, start_response):
        body = environ["wsgi.input"].read()
        if environ["PATH_INFO"] == "/slow":
            self.begun.release()
            self.opened.wait()
        if environ["PATH_INFO"] == "/large":
            body = b"x" * 20_000_000
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]


@contextmanager
def running(application, lanes=FEW):
    listener = listen("127.0.0.1", 0)
    server = RequestServer(listener, application, lanes)
    server.address = listener.getsockname()
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield server
    finally:
        if isinstance(application, Application):
            application.opened.set()
        server.stop()
        thread.join()


@pytest.fixture
def application():
    return Application()


@pytest.fixture
def server(application):
    with running(application) as server:
        yield server


def connect(server, data=b""):
    connection = socket.create_connection(server.address)
    connection.sendall(data)
    return connection


def read_all(connection):
    """All bytes until the server closes; a reset ends them too."""
    found = b""
    try:
        while part := connection.recv(65536):
            found += part
    except ConnectionResetError:
        pass
    return found


def read_until(connection, end):
    """Whether some bytes come; False if the server closes before."""
    found = b""
    while end not in found and (part := connection.recv(65536)):
        found += part
    return end in found


def ask(server, data):
    with connect(server, data) as connection:
        return read_all(connection)


def get(path):
    return f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()


def status(answer):
    return int(answer.split(b" ", 2)[1])


def wait_until(is_true):
    while not is_true():
        time.sleep(0.01)


def has_received(server, connection):
    address = connection.getsockname()
    return any(one.addr == address and one.n_received for one in list(server.active_channels.values()))


def test_half_sent_headers_and_bodies_hold_no_thread(server):
    held = [connect(server, POST) for _ in range(40)]
    held += [connect(server, POST + b"Content-Length: 9\r\n\r\nhalf") for _ in range(40)]

    assert status(ask(server, get("/webhook"))) == 200
    assert status(ask(server, get("/health"))) == 200
    held[-1].sendall(b" done")
    assert read_until(held[-1], b"half done")


def test_the_oldest_unfinished_connection_of_the_largest_crowd_makes_room_for_a_new_one(server):
    server.max_connections = 5
    held = []
    for _ in range(12):
        held.append(connect(server, POST))
        wait_until(lambda: has_received(server, held[-1]))  # the oldest is the one whose request began first

    assert status(ask(server, get("/health"))) == 200
    wait_until(lambda: len(server.active_channels) <= 5)
    assert [read_all(one) for one in held[:7]] == [b""] * 7
    held[-1].sendall(b"Content-Length: 2\r\nConnection: close\r\n\r\nok")
    assert read_all(held[-1]).endswith(b"ok")


def test_a_connection_whose_request_runs_is_never_closed_for_another_one(server, application):
    server.max_connections = 3
    running_one = connect(server, get("/slow"))
    application.begun.acquire()
    crowd = [connect(server) for _ in range(10)]
    assert status(ask(server, get("/health"))) == 200
    application.opened.set()

    assert status(read_all(running_one)) == 200
    for one in crowd:
        one.close()


def test_health_and_webhooks_are_answered_while_all_other_threads_wait(server, application):
    waiting = [connect(server, get("/slow")) for _ in range(5)]
    for _ in range(2):
        application.begun.acquire()

    assert status(ask(server, get("/health"))) == 200
    assert status(ask(server, get("/webhook"))) == 200
    application.opened.set()
    assert [status(read_all(one)) for one in waiting] == [200] * 5


def test_a_request_too_many_is_refused_with_a_sentence_at_once(server, application):
    waiting = [connect(server, get("/slow")) for _ in range(2)]
    for _ in range(2):
        application.begun.acquire()
    waiting += [connect(server, get("/slow")) for _ in range(3)]
    wait_until(lambda: len(server.task_dispatcher.queue) == 3)
    refused = ask(server, get("/slow"))
    application.opened.set()

    assert status(refused) == 503
    assert b"too many requests to answer" in refused
    assert [status(read_all(one)) for one in waiting] == [200] * 5


def test_what_does_not_arrive_in_time_is_closed_with_a_sentence(server, monkeypatch):
    monkeypatch.setattr(module, "ARRIVAL_S", 0.0)
    monkeypatch.setattr(module, "MIN_BYTES_PER_S", 1e9)

    for half in (b"GET /health HT", POST + b"Content-Length: 100\r\n\r\nhalf"):
        answer = ask(server, half)
        assert status(answer) == 408
        assert answer.endswith(b"the request did not arrive in time; send it again, faster\r\n")


def test_a_large_body_has_more_time_than_a_small_one(server, monkeypatch):
    monkeypatch.setattr(module, "ARRIVAL_S", 0.0)
    monkeypatch.setattr(module, "MIN_BYTES_PER_S", 1.0)
    body = b"x" * 100_000
    with connect(server, POST + b"Connection: close\r\nContent-Length: 100001\r\n\r\n" + body) as connection:
        server._sweep_at = 0.0
        assert status(ask(server, get("/health"))) == 200  # the server has turned, and swept
        connection.sendall(b"y")
        assert read_all(connection).endswith(body + b"y")


def test_a_connection_without_a_request_is_closed_without_a_word(server, monkeypatch):
    monkeypatch.setattr(module, "IDLE_S", 0.0)

    assert ask(server, b"") == b""


def test_a_client_that_does_not_read_its_answer_holds_no_thread(server):
    slow = [connect(server, get("/large")) for _ in range(6)]
    for one in slow:
        one.recv(10)

    assert status(ask(server, get("/other"))) == 200
    for one in slow:
        one.close()


def test_a_client_that_has_closed_its_half_gets_its_answer(server):
    with connect(server, POST + b"Content-Length: 2\r\n\r\nok") as connection:
        connection.shutdown(socket.SHUT_WR)
        assert read_all(connection).endswith(b"ok")


def test_pipelined_requests_are_answered_in_order(server):
    one = POST + b"Content-Length: 1\r\n\r\n"
    last = POST + b"Connection: close\r\nContent-Length: 1\r\n\r\n"
    answers = ask(server, one + b"a" + one + b"b" + last + b"c")

    assert [part[:1] for part in answers.split(b"\r\n\r\n")[1:]] == [b"a", b"b", b"c"]


@pytest.mark.parametrize(
    "request_head",
    [
        POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        POST + b"Content-Length: -1\r\n\r\n",
        POST + b"Content-Length: +3\r\n\r\nabc",
        POST + b"Content-Length: 1_0\r\n\r\n0123456789",
        POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        POST.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        POST.replace(b"1.1", b"2.0") + b"\r\n",
        b"GET /health HTTP/1.1\nHost: x\n\n\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    ],
)  # fmt: skip
def test_a_request_that_a_proxy_could_read_in_another_way_is_refused(server, request_head):
    answer = ask(server, request_head)

    assert status(answer) == 400
    assert answer.count(b"\r\nConnection: close\r\n") == 1


def test_a_transfer_encoding_that_is_not_known_is_refused(server):
    assert status(ask(server, POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n")) == 501


def test_headers_without_end_are_refused(server):
    with connect(server, b"GET /health HTTP/1.1\r\nHost: x\r\nA: ") as connection:
        connection.sendall(b"a" * 32 * 2**10)
        assert status(connection.recv(65536)) == 431


def test_a_body_that_is_announced_as_too_large_is_refused_before_it_comes(server):
    assert status(ask(server, POST + b"Content-Length: 999999999999\r\n\r\n")) == 413


def test_a_client_is_told_to_go_on_with_its_body(server):
    with connect(
        server, POST + b"Connection: close\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    ) as connection:
        assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"ok")
        assert read_all(connection).endswith(b"ok")


def test_a_stop_answers_what_runs_waits_and_arrives_on_an_open_connection(application):
    with running(application) as server:
        opened = connect(server, get("/health").replace(b"Connection: close\r\n", b""))
        assert status(opened.recv(65536)) == 200
        waiting = [connect(server, get("/slow")) for _ in range(4)]
        for _ in range(2):
            application.begun.acquire()
        server.stop()
        opened.sendall(POST + b"Content-Length: 4\r\n\r\nlate")
        late = read_all(opened)
        application.opened.set()

        assert late.endswith(b"late")
        assert b"Connection: close" in late
        assert [status(read_all(one)) for one in waiting] == [200] * 4


def test_a_server_that_has_stopped_can_be_told_to_stop_again(application):
    with running(application) as server:
        server.stop()
        wait_until(lambda: server.trigger._closed)

        server.stop()


def test_a_scheme_that_a_proxy_on_this_machine_names_is_believed():
    def show(environ, start_response):
        start_response("200 OK", [])
        return [environ["wsgi.url_scheme"].encode()]

    with running(show) as server:
        forwarded = get("/").replace(b"\r\n\r\n", b"\r\nX-Forwarded-Proto: https\r\n\r\n")
        assert ask(server, forwarded).endswith(b"https")
