"""The HTTP server of `ris serve`: waitress with limits in time, and threads for each kind of request.

One thread reads the requests and writes the answers of all connections. A request gets a thread once it is
complete, and frees it when its answer is computed: a slow client holds a socket and no thread.
"""

import logging
import resource
import socket
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask, ThreadedTaskDispatcher, WSGITask
from waitress.utilities import Error

from ris.web.app import MAX_BODY_BYTES

log = logging.getLogger(__name__)

ARRIVAL_S, MIN_BYTES_PER_S = 20.0, 2000  # a request may take 20 s, and a second more for each 2 kB of it
IDLE_S = 30.0  # without a request, or without a byte of an answer being read
LINGER_S = 2.0  # how long a stopping server keeps connections on which a request may be under way
MAX_CONNECTIONS = 512
_MAX_HEADER_BYTES = 32 * 2**10
_RECEIVE_BYTES, _BUFFER_BYTES = 2**16, 2**18  # bytes read at once; larger bodies and answers go into a file
_NEVER_BYTES = 2**40
_JOINED_BYTES = 2**16  # a body up to this size is sent together with its head
_BACKLOG, _ACCEPTS_PER_TURN = 2048, 64
_TOO_SLOW = (
    b"HTTP/1.1 408 Request Timeout\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n"
    b"the request did not arrive in time; send it again, faster\r\n"
)


@dataclass(frozen=True, slots=True)
class Lane:
    """Threads for one kind of request, so that it never waits for another kind.

    Attributes:
        paths: of the requests; empty for all that no other lane names.
        n_threads: requests that run at the same time.
        max_waiting: requests that may wait for a thread; further ones are answered with 503.
    """

    paths: frozenset[str]
    n_threads: int
    max_waiting: int = MAX_CONNECTIONS


LANES = (
    Lane(frozenset({"/health"}), 1),
    Lane(frozenset({"/health/ready"}), 1),
    Lane(frozenset({"/webhook"}), 16),
    Lane(frozenset(), 16, max_waiting=128),
)


class _Busy(Error):
    code, reason = 503, "Service Unavailable"


class _RequestParser(HTTPRequestParser):
    """Refuses what a proxy in front could read as another request."""

    def parse_header(self, header_plus: bytes) -> None:
        super().parse_header(header_plus)
        if self.version not in ("1.0", "1.1"):
            raise ParsingError("the version of HTTP must be 1.0 or 1.1")
        if self.chunked and "CONTENT_LENGTH" in self.headers:
            raise ParsingError("a request has Content-Length or Transfer-Encoding, never both")
        if "TRANSFER_ENCODING" in self.headers:
            raise ParsingError("HTTP/1.0 has no Transfer-Encoding")


class _Task(WSGITask):
    """Answers a request by the application."""

    channel: "_Connection"

    def finish(self) -> None:
        super().finish()
        self.channel.send_held()


class _RefusalTask(ErrorTask):
    """Answers a request that the application does not see."""

    channel: "_Connection"

    def finish(self) -> None:
        super().finish()
        self.channel.send_held()


class _Connection(HTTPChannel):
    """One connection. It goes by the monotonic clock, which nobody sets."""

    parser_class, task_class, error_task_class = _RequestParser, _Task, _RefusalTask
    requests: list[Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.begun_at = self.active_at = time.monotonic()
        self.n_received = 0
        self._held = b""
        super().__init__(*args, **kwargs)

    def received(self, data: bytes) -> bool:
        self.active_at = time.monotonic()
        if self.request is None:
            self.begun_at, self.n_received = self.active_at, 0
        self.n_received += len(data)
        return super().received(data)

    def handle_write(self) -> None:
        before = self.total_outbufs_len
        super().handle_write()
        if self.total_outbufs_len < before:
            self.active_at = time.monotonic()

    def write_soon(self, data: Any) -> int:
        """Send a part of an answer. A head waits for its body, because each send waits for Python's lock."""
        if not self._held and isinstance(data, bytes):
            self._held = data
        elif isinstance(data, bytes) and len(data) <= _JOINED_BYTES:
            joined, self._held = self._held + data, b""
            super().write_soon(joined)
        else:
            self.send_held()
            super().write_soon(data)
        return len(data)

    def send_held(self) -> None:
        """Send what waits, at the end of an answer."""
        held, self._held = self._held, b""
        super().write_soon(held)

    def service(self) -> None:
        super().service()
        self.active_at = time.monotonic()

    def is_busy(self, now: float) -> bool:
        """Return whether a request is being answered, or its answer is being read."""
        return bool(self.requests) or (self.total_outbufs_len > 0 and now < self.active_at + LINGER_S)

    def is_expired(self, now: float) -> bool:
        if self.requests:
            return False
        if self.request is not None:
            return now > self.begun_at + ARRIVAL_S + self.n_received / MIN_BYTES_PER_S
        return now > self.active_at + IDLE_S

    def expire(self) -> None:
        """Close it; a client that is in the middle of a request is told why."""
        if self.request is not None:
            self.send(_TOO_SLOW)
        self.will_close = True


class RequestServer(TcpWSGIServer):
    """Serves an application until `stop` is called.

    Args:
        listener: the socket that listens; the server closes it.
        application: a WSGI application.
        lanes: the threads; the last lane takes what no other one names.
    """

    channel_class = _Connection

    def __init__(self, listener: socket.socket, application: Any, lanes: tuple[Lane, ...] = LANES) -> None:
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # it warns of each request that waits
        self.is_stopping = False
        self._sweep_at = 0.0
        self._listener = listener
        self._sockets: dict[int, Any] = {}  # by file number, as waitress' loop wants them
        self.max_connections = min(MAX_CONNECTIONS, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 4)
        self._lanes = [(lane, _start_threads(lane)) for lane in lanes]
        self._lane_of: Mapping[str, int] = {p: i for i, lane in enumerate(lanes) for p in lane.paths}
        where = (listener.family, listener.type, listener.proto, listener.getsockname())
        options: dict[str, Any] = {
            "max_request_header_size": _MAX_HEADER_BYTES,
            "max_request_body_size": MAX_BODY_BYTES,
            "recv_bytes": _RECEIVE_BYTES,
            "inbuf_overflow": _BUFFER_BYTES,
            "outbuf_overflow": _BUFFER_BYTES,
            "outbuf_high_watermark": _NEVER_BYTES,  # a thread does not wait for a client to read its answer
            "backlog": _BACKLOG,
            "connection_limit": 10 * MAX_CONNECTIONS,  # `_make_room` does this
            "trusted_proxy": "127.0.0.1",
            "trusted_proxy_headers": {"x-forwarded-proto"},
            "ident": None,
        }
        super().__init__(
            application, self._sockets, _sock=listener, dispatcher=self._lanes[-1][1],
            adj=Adjustments(**options), sockinfo=where, bind_socket=False,
        )  # fmt: skip

    def add_task(self, task: Any) -> None:
        """Give the first complete request of a connection to the threads of its lane."""
        request = task.requests[0]
        if self.is_stopping:
            request.headers["CONNECTION"] = "close"
        if not request.error:
            lane, threads = self._lanes[self._lane_of.get(request.path, len(self._lanes) - 1)]
            if len(threads.queue) + threads.active_count < lane.n_threads + lane.max_waiting:
                return threads.add_task(task)
            request.error = _Busy("the server has too many requests to answer; send this one again later")
        return self._lanes[0][1].add_task(task)  # a sentence that nothing can hold up

    def handle_accept(self) -> None:
        """Accept what waits, and make room for it among the connections."""
        for _ in range(_ACCEPTS_PER_TURN):
            before = len(self._get_connections())
            super().handle_accept()
            n_connections = len(self._get_connections())
            if n_connections == before:
                return
            if n_connections > self.max_connections:
                self._make_room()

    def _make_room(self) -> None:
        """Close the oldest connection without a running request, of the client that has the most of them."""
        idle = [channel for channel in self._get_connections() if not channel.requests]
        counts = Counter(channel.addr[0] for channel in idle)
        (crowd, _), *_ = counts.most_common(1)  # never empty: the newest connection has no request yet
        min((c for c in idle if c.addr[0] == crowd), key=lambda channel: channel.begun_at).handle_close()

    def maintenance(self, now: float) -> None:
        """Do nothing: it goes by the wall clock. `_sweep` closes what is expired."""

    def _turn(self) -> None:
        wasyncore.loop(timeout=0.5, use_poll=True, map=self._sockets, count=1)
        now = time.monotonic()
        if now >= self._sweep_at:
            self._sweep_at = now + 1.0
            for channel in self._get_connections():
                if channel.is_expired(now):
                    channel.expire()

    def stop(self) -> None:
        """Stop `run` soon. May be called in a signal handler, and again, also when `run` has ended."""
        if not self.is_stopping:  # later the trigger's file may be closed, and its number another file's
            self.is_stopping = True
            self.pull_trigger()

    def run(self) -> None:
        """Serve until `stop` is called, and then until every request that has arrived is answered."""
        while not self.is_stopping:
            self._turn()
        self.handle_accept()
        self.del_channel()
        self._listener.close()
        linger_until = time.monotonic() + LINGER_S
        while self._get_connections() and (time.monotonic() < linger_until or self._has_busy_connection()):
            self._turn()
        for _, threads in self._lanes:
            threads.shutdown(timeout=1)
        wasyncore.close_all(self._sockets)

    def _get_connections(self) -> list[_Connection]:
        open_now: Any = self.active_channels  # a dict, whatever its annotation says
        return list(open_now.values())

    def _has_busy_connection(self) -> bool:
        now = time.monotonic()
        return any(channel.is_busy(now) for channel in self._get_connections())


def _start_threads(lane: Lane) -> ThreadedTaskDispatcher:
    threads = ThreadedTaskDispatcher()
    threads.set_thread_count(lane.n_threads)
    return threads


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that is bound to an address, on IPv4 and IPv6 for `::`.

    Raises:
        OSError: the address cannot be used.
    """
    is_ipv6 = ":" in host
    family = socket.AF_INET6 if is_ipv6 else socket.AF_INET
    return socket.create_server(
        (host, port), family=family, dualstack_ipv6=is_ipv6 and socket.has_dualstack_ipv6()
    )
