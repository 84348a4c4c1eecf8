"""Receive the answer of a host that may send too much, too slowly, or packed into any size.

A read of httpx ends after its timeout without a byte; a host that sends one byte a second never meets it.
So all reads of one answer share a limit, counted from the last byte that we sent: a large upload over a slow
line is not cut.
"""

import ssl
import time
from collections.abc import Iterable
from typing import Any

import httpcore
import httpx

from ris.errors import LabelStudioError
from ris.labelstudio.api.certificates import make_tls_context
from ris.labelstudio.api.transport import find_proxy

MAX_ANSWER_BYTES = 512 * 2**20  # unpacked; 100 tasks with several detailed masks each have about 200 MiB
_ENCODINGS = ("", "identity", "gzip", "deflate")  # others unpack a small chunk into any number of bytes


def open_limited_client(url: httpx.URL, *, timeout_s: float, limit_s: float) -> httpx.Client:
    """Make a client whose answers take a limited time. Close it.

    Args:
        url: the address; the proxy depends on it.
        timeout_s: for connecting, and for each read and write.
        limit_s: from the last byte of a request to the last byte of its answer.

    Raises:
        LabelStudioError: the certificates or the proxy that the environment names cannot be used.
    """
    tls, proxy = make_tls_context(), find_proxy(url)
    try:
        transport = _LimitedTransport(tls, proxy, limit_s)
    except (ImportError, ValueError, httpx.InvalidURL) as error:
        raise LabelStudioError(
            f"the proxy that the environment names for {url.scheme}:// cannot be used: {error}"
        ) from error
    return httpx.Client(transport=transport, timeout=timeout_s, trust_env=False)


class _LimitedTransport(httpx.HTTPTransport):
    """httpx's transport over `LimitedBackend`."""

    def __init__(self, tls: ssl.SSLContext, proxy: str | None, limit_s: float) -> None:
        super().__init__(verify=tls, proxy=proxy)
        # httpx has no argument for the backend; its pool of connections is opened at the first request.
        self._pool._network_backend = LimitedBackend(limit_s)


class LimitedBackend(httpcore.SyncBackend):
    """Opens connections on which one answer takes a limited time.

    Args:
        limit_s: from the last byte of the request to the last byte of its answer.
    """

    def __init__(self, limit_s: float) -> None:
        self.limit_s = limit_s

    def connect_tcp(self, host: str, *args: Any, **kwargs: Any) -> httpcore.NetworkStream:
        """Open a connection."""
        return _LimitedStream(super().connect_tcp(host, *args, **kwargs), self.limit_s)


class _LimitedStream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, limit_s: float) -> None:
        self._stream, self._limit_s, self._until = stream, limit_s, time.monotonic() + limit_s

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        left = self._until - time.monotonic()
        if left <= 0:
            raise LabelStudioError(f"its answer was not complete after {self._limit_s:g} s")
        return self._stream.read(max_bytes, left if timeout is None else min(timeout, left))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, timeout)
        self._until = time.monotonic() + self._limit_s

    def close(self) -> None:
        self._stream.close()

    def start_tls(self, *args: Any, **kwargs: Any) -> httpcore.NetworkStream:
        return _LimitedStream(self._stream.start_tls(*args, **kwargs), self._limit_s)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def receive_content(response: httpx.Response, max_bytes: int) -> bytes:
    """Read the content of an open response.

    Args:
        response: not read yet.
        max_bytes: of the content, unpacked.

    Raises:
        LabelStudioError: it is larger, or packed in a way that could unpack into any size.
        httpx.HTTPError: the connection broke.
    """
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in _ENCODINGS:
        raise LabelStudioError(f"its answer is packed as {encoding[:20]!r}, and only gzip can be unpacked")
    return _join_chunks(response.iter_bytes(), max_bytes)


def _join_chunks(chunks: Iterable[bytes], max_bytes: int) -> bytes:
    data = bytearray()
    for chunk in chunks:
        data += chunk
        if len(data) > max_bytes:
            raise LabelStudioError(f"its answer has more than {max_bytes / 2**20:.0f} MiB")
    return bytes(data)
