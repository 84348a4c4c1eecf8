"""Count the calls of a vision-language model: what it costs."""

from collections import Counter
from threading import Lock

CALL_OUTCOMES = ("answered", "retried", "failed", "refused")


class VlmUsage:
    """Counters since the start of the process; safe with threads.

    Attributes:
        calls: by outcome. "answered" and "failed" are questions, "retried" further requests for them;
            "refused" are questions that were not sent, because of the budget or after failures.
        tokens: by direction, "in" and "out", as the server counts them.
        lookups: of cached answers, "hit" and "miss".
        seconds: spent on questions that were sent.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self.calls = Counter(dict.fromkeys(CALL_OUTCOMES, 0))
        self.tokens = Counter({"in": 0, "out": 0})
        self.lookups = Counter({"hit": 0, "miss": 0})
        self.seconds = 0.0

    def count_call(self, outcome: str, *, seconds: float = 0.0) -> None:
        """Count a question or a further request for it."""
        with self._lock:
            self.calls[outcome] += 1
            self.seconds += seconds

    def count_tokens(self, tokens_in: int, tokens_out: int) -> None:
        """Count the tokens of an answer."""
        with self._lock:
            self.tokens.update({"in": tokens_in, "out": tokens_out})

    def count_lookup(self, *, is_hit: bool) -> None:
        """Count a lookup of a cached answer."""
        with self._lock:
            self.lookups["hit" if is_hit else "miss"] += 1
