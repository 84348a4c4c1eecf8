"""The client of a vision-language model on a server with OpenAI's chat completions, such as vLLM."""

import email.utils
import random
import time
from collections.abc import Callable
from threading import BoundedSemaphore

import httpx

from ris.errors import EndpointError, SettingsError
from ris.pretrained.endpoint.breaker import Breaker
from ris.pretrained.endpoint.budget import CallBudget
from ris.pretrained.endpoint.completion import make_body, read_completion
from ris.redaction.messages import shorten_message
from ris.referring.grounding.question import Question, Reply
from ris.referring.grounding.usage import VlmUsage

_RETRIED_STATUSES = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
_SCHEMA_REFUSALS = frozenset({400, 404, 415, 422, 501})  # of a server that knows no response_format
_MAX_ANSWER_BYTES = 4 * 2**20  # an answer has some hundred words


class ChatClient:
    """An OpenAI-compatible server as `referring.protocols.VisionModel`. Its connections are kept open.

    Args:
        base_url: address up to and including the version, such as http://localhost:8000/v1.
        model: the model's name at the server.
        key: sent as a bearer token; "" sends none.
        timeout_s: time limit of one question, with its retries and pauses.
        retries: number of retries after a broken connection or a temporary error.
        concurrency: largest number of simultaneous requests.
        budget: bounds the calls; None does not.
        usage: counts the calls.
        pause: waits between two attempts, in seconds; replaced in tests.
        draw: returns a random number in [0, 1), which shortens a pause by up to a half.

    Raises:
        SettingsError: the key cannot be sent in a header.
    """

    def __init__(
        self,
        base_url: str,
        *,
        model: str,
        key: str = "",
        timeout_s: float = 60.0,
        retries: int = 2,
        concurrency: int = 4,
        budget: CallBudget | None = None,
        usage: VlmUsage | None = None,
        pause: Callable[[float], None] = time.sleep,
        draw: Callable[[], float] = random.random,
    ) -> None:
        key = key.strip()
        if not (key.isascii() and (not key or key.isprintable())):
            raise SettingsError("the key of the vision-language model has characters that no header can hold")
        self.url, self.model = to_completions_url(base_url), model
        self.timeout_s, self.retries, self.concurrency = timeout_s, retries, concurrency
        self.budget, self.usage, self.breaker = budget, usage or VlmUsage(), Breaker()
        self.pause, self.draw = pause, draw
        self._slots = BoundedSemaphore(concurrency)
        self._takes_schema = True  # until the server refuses one
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = httpx.Client(headers={"Accept-Encoding": "gzip", **headers})

    def ask(self, question: Question) -> Reply:
        """Ask one question.

        Raises:
            EndpointError: the server did not answer, refused, or sent an answer that is no completion; or the
                question was not sent, because the budget is used up or the server failed just now.
        """
        started = time.monotonic()
        try:
            self.breaker.check()
        except EndpointError:
            self.usage.count_call("refused")
            raise
        until = started + self.timeout_s
        if not self._slots.acquire(timeout=self.timeout_s):
            self.usage.count_call("refused")
            raise EndpointError(
                f"{self._name} is still busy with earlier questions after {self.timeout_s:g} s"
            )
        try:
            reply = self._try_until(question, until)
        except _BudgetSpent as error:
            self.usage.count_call("refused")
            raise EndpointError(str(error)) from error
        except EndpointError as error:
            self.usage.count_call("failed", seconds=time.monotonic() - started)
            self.breaker.note_failure(str(error))
            raise
        finally:
            self._slots.release()
        self.breaker.note_success()
        self.usage.count_call("answered", seconds=time.monotonic() - started)
        self.usage.count_tokens(reply.tokens_in, reply.tokens_out)
        return reply

    @property
    def _name(self) -> str:
        return f"the vision-language model at {self.url}"

    def _try_until(self, question: Question, until: float) -> Reply:
        with_schema = question.schema is not None and self._takes_schema
        attempt = 0
        while True:
            wait_s = 2.0**attempt * (1 - self.draw() / 2)
            failure = ""
            try:
                self._take_call(question)
                status, content, asked_s = self._post(question, with_schema, until)
            except (httpx.RequestError, httpx.InvalidURL) as error:  # InvalidURL: of a redirect
                failure = f"{self._name} cannot be reached ({type(error).__name__}); is it running?"
            else:
                if 200 <= status < 300:
                    if question.schema is not None:
                        self._takes_schema = with_schema
                    return self._read(content)
                if with_schema and status in _SCHEMA_REFUSALS:
                    with_schema = False
                    self.usage.count_call("retried")
                    continue
                where = ", that its address ends with the version such as /v1," if status == 404 else ""
                failure = (
                    f"{self._name} answered {status} for model {self.model!r}; check its key, its model"
                    f"{where} and its log"
                )
                if status not in _RETRIED_STATUSES:
                    raise EndpointError(failure)
                wait_s = max(wait_s, asked_s)
            if attempt == self.retries or time.monotonic() + wait_s >= until:
                raise EndpointError(failure)
            attempt += 1
            self.usage.count_call("retried")
            self.pause(wait_s)

    def _take_call(self, question: Question) -> None:
        if self.budget is not None:
            try:
                self.budget.take(question.task)
            except EndpointError as error:
                raise _BudgetSpent(str(error)) from error

    def _post(self, question: Question, with_schema: bool, until: float) -> tuple[int, bytes, float]:
        """Send a request: status and content of its answer, and for how long it asks to wait, in seconds.

        The key follows no redirect.
        """
        content = bytearray()
        body = make_body(question, self.model, with_schema=with_schema)
        rest_s = until - time.monotonic()
        if rest_s <= 0:
            raise httpx.ReadTimeout("no time is left")
        with self._http.stream("POST", self.url, json=body, follow_redirects=False, timeout=rest_s) as answer:
            if answer.has_redirect_location:
                target = shorten_message(answer.headers["Location"])
                raise EndpointError(
                    f"{self._name} redirects to {target}, and neither image nor key is sent there; set "
                    "RIS_VLM_URL or RIS_DESCRIBER_URL to where it answers itself"
                )
            for chunk in answer.iter_bytes():
                content += chunk
                if len(content) > _MAX_ANSWER_BYTES:
                    raise EndpointError(f"{self._name} sends more than {_MAX_ANSWER_BYTES / 2**20:.0f} MiB")
                if time.monotonic() > until:
                    raise httpx.ReadTimeout("the answer comes too slowly")
            asked_s = read_retry_after(answer.headers.get("Retry-After", ""), time.time())
            return answer.status_code, bytes(content), asked_s

    def _read(self, content: bytes) -> Reply:
        try:
            return read_completion(content)
        except ValueError as error:
            raise EndpointError(
                f"the answer of {self._name} is no chat completion; check that the address is that of an "
                "OpenAI-compatible API"
            ) from error


def to_completions_url(base_url: str) -> str:
    """Return the address of chat completions; the base may be that address already."""
    return f"{base_url.rstrip('/').removesuffix('/chat/completions').rstrip('/')}/chat/completions"


class _BudgetSpent(EndpointError):
    """The budget allows no further call, which is no failure of the server."""


def read_retry_after(value: str, now: float) -> float:
    """Read the header Retry-After as seconds from now: a number or a date; 0 for anything else.

    Args:
        value: of the header.
        now: seconds since 1970.
    """
    value = value.strip()[:64]
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        return max(email.utils.parsedate_to_datetime(value).timestamp() - now, 0.0)
    except (ValueError, TypeError, OverflowError, IndexError):
        return 0.0
