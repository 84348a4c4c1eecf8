"""Stop calling a server that fails, for a while."""

import time
from collections.abc import Callable
from threading import Lock

from ris.errors import EndpointError

BREAKER_FAILURES = 3
BREAKER_REST_S = 60.0


class Breaker:
    """After BREAKER_FAILURES failures in a row no call is made for BREAKER_REST_S; then one is tried.

    Args:
        monotonic: a monotonic clock, in seconds.
    """

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.monotonic = monotonic
        self._lock = Lock()
        self._n_failures, self._closed_until, self._reason = 0, 0.0, ""

    def check(self) -> None:
        """Let a call pass.

        Raises:
            EndpointError: the last calls failed; the message says how.
        """
        with self._lock:
            if self._n_failures < BREAKER_FAILURES:
                return
            rest_s = self._closed_until - self.monotonic()
            if rest_s > 0:
                raise EndpointError(f"{self._reason}; it is called again in {rest_s:.0f} s")
            self._closed_until = self.monotonic() + BREAKER_REST_S  # others wait for the one that tries

    def note_success(self) -> None:
        """Note that a call was answered."""
        with self._lock:
            self._n_failures = 0

    def note_failure(self, reason: str) -> None:
        """Note that a call failed.

        Args:
            reason: a sentence without its full stop.
        """
        with self._lock:
            self._n_failures += 1
            self._reason, self._closed_until = reason, self.monotonic() + BREAKER_REST_S
