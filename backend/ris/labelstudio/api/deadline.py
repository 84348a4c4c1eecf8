"""One deadline for a whole transfer: looking up the name, connecting, TLS, headers, redirects and body.

httpx has time limits for each read. A host that sends one byte before each of them is over holds a thread for
hours.
"""

import ssl
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Thread
from typing import Any, TypeVar

import httpcore

from ris.errors import LabelStudioError

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment that a transfer must not outlast.

    Attributes:
        timeout_s: seconds that were given, for the message.
        until: the moment, in seconds of `time.monotonic`.
    """

    timeout_s: float
    until: float

    @classmethod
    def from_now(cls, timeout_s: float) -> "Deadline":
        """Make a deadline some seconds from now."""
        return cls(timeout_s, time.monotonic() + timeout_s)

    def compute_rest_s(self) -> float:
        """Compute the seconds that are left, more than 0.

        Raises:
            LabelStudioError: none are left.
        """
        rest_s = self.until - time.monotonic()
        if rest_s <= 0:
            raise self.make_error()
        return rest_s

    def make_error(self) -> LabelStudioError:
        """Make the error of a transfer that is too slow."""
        return LabelStudioError(f"it took longer than {self.timeout_s:g} s")

    def run(self, call: Callable[[float], Result]) -> Result:
        """Call a function of httpcore with the seconds that are left as its time limit.

        Raises:
            LabelStudioError: the deadline has passed.
        """
        try:
            return call(self.compute_rest_s())
        except httpcore.TimeoutException as error:
            raise self.make_error() from error


class DeadlineBackend(httpcore.NetworkBackend):
    """Opens connections that end at a deadline.

    Args:
        inner: opens them.
        deadline: of everything that is sent and read.
    """

    def __init__(self, inner: httpcore.NetworkBackend, deadline: Deadline) -> None:
        self.inner, self.deadline = inner, deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect in a thread of its own: looking up a name has no time limit, and each address has one."""
        rest_s = self.deadline.compute_rest_s()
        opened: Future[httpcore.NetworkStream] = Future()

        def connect() -> None:
            try:
                opened.set_result(self.inner.connect_tcp(host, port, rest_s, local_address, socket_options))
            except BaseException as error:  # belongs to the caller
                opened.set_exception(error)

        Thread(target=connect, name="connect", daemon=True).start()
        try:
            return DeadlineStream(opened.result(rest_s), self.deadline)
        except (TimeoutError, httpcore.TimeoutException) as error:
            opened.add_done_callback(_close_late)
            raise self.deadline.make_error() from error


def _close_late(opened: "Future[httpcore.NetworkStream]") -> None:
    if opened.exception() is None:
        opened.result().close()


class DeadlineStream(httpcore.NetworkStream):
    """A connection that ends at a deadline."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline) -> None:
        self.inner, self.deadline = inner, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what is there, at most max_bytes; b"" at the end."""
        return self.deadline.run(lambda rest_s: self.inner.read(max_bytes, rest_s))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send all bytes."""
        self.deadline.run(lambda rest_s: self.inner.write(buffer, rest_s))

    def close(self) -> None:
        """Close the connection."""
        self.inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Start TLS and return the encrypted connection."""
        encrypted = self.deadline.run(
            lambda rest_s: self.inner.start_tls(ssl_context, server_hostname, rest_s)
        )
        return DeadlineStream(encrypted, self.deadline)

    def get_extra_info(self, info: str) -> Any:
        """Return what the connection knows, such as "server_addr"."""
        return self.inner.get_extra_info(info)
