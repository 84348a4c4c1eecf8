"""Put events into the inbox: one thread stores them, many in one commit, before senders are answered."""

import itertools
import logging
import queue
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event, Lock, Thread
from typing import NamedTuple

from sqlalchemy import JSON, String, TypeDecorator, column, table
from sqlalchemy.engine import Dialect

from ris.errors import BackendError, StoreError, StoreRefusal
from ris.redaction.messages import describe_error
from ris.store.records import make_insert_or_ignore
from ris.store.schema import UtcDateTime
from ris.store.session import Database

log = logging.getLogger(__name__)

_MAX_EVENTS_PER_COMMIT = 200
_CLOSE_TIMEOUT_S = 30.0
_CONNECTIONS = 2  # the writing thread's, and that of a check
_LOCK_WAIT_S = 2.0
_MIN_PAUSE_S, _MAX_PAUSE_S = 0.1, 2.0  # before the database is asked again, doubled with each failure
_MAX_WAITING_BYTES = 64 * 2**20  # of events that wait in memory for the database
_MAX_SENT_BYTES = 8 * 2**20  # of events that `put_all` hands over before it waits
_GATHER_S = 0.002


class RawJson(TypeDecorator[str]):
    """A JSON column whose values are JSON text already."""

    impl = JSON
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> None:
        """Return no processor: the text is stored as it is."""


# The event table with bodies as text: the JSON is written once, for the digest.
_RAW_EVENT_TABLE = table(
    "event", column("digest", String), column("received_at", UtcDateTime), column("action", String),
    column("body", RawJson), column("state", String),
)  # fmt: skip


class InboxEvent(NamedTuple):
    """An event to be stored.

    Attributes:
        digest: SHA-256 of the body; equal digests are one event.
        action: of the webhook.
        body: the event as JSON text.
    """

    digest: str
    action: str
    body: str


@dataclass(frozen=True, slots=True)
class _Arrival:
    digest: str
    action: str
    body: str
    is_new_future: Future[bool] = field(default_factory=Future)


class InboxWriter:
    """Stores the events of many threads durably: one thread commits them together. Call `start` first.

    What the database does not take for a while waits in memory, and is tried again until it is stored.

    Attributes:
        lock: held while it writes. Other code that writes much takes it too: with a database of one writer at
            a time, such as SQLite, the second writer would poll.
        last_arrival: the time of the last event, on the monotonic clock in seconds.

    Args:
        database: the database; the writer opens connections of its own, so that nobody else takes them.
        now: the clock, in UTC.
        patience_s: seconds in which `put` answers, whatever the database does.
    """

    def __init__(self, database: Database, *, now: Callable[[], datetime], patience_s: float = 30.0) -> None:
        self.lock, self.last_arrival = Lock(), 0.0
        self._database = database.open_apart(n_connections=_CONNECTIONS, lock_wait_s=_LOCK_WAIT_S)
        self._now, self._patience_s = now, patience_s
        self._arrivals: queue.SimpleQueue[_Arrival | None] = queue.SimpleQueue()
        self._n_waiting_bytes, self._count_lock = 0, Lock()
        self._storing_since: float | None = None
        self._closing = Event()
        self._thread: Thread | None = None

    def start(self) -> None:
        """Start the thread that writes."""
        self._thread = Thread(target=self._run, name="inbox-writer", daemon=True)
        self._thread.start()

    def put(self, event: InboxEvent) -> bool:
        """Return once the event is on disk: True for a new one, False for one that was stored before.

        Raises:
            StoreError: it is not stored; the message says whether it waits in memory.
        """
        return self._wait_for(self._send(event))

    def put_all(self, events: Iterable[InboxEvent]) -> int:
        """Return once all events are on disk, and how many of them are new: many are committed together.

        Args:
            events: taken one by one; at most about 8 MB of them wait in memory.

        Raises:
            StoreError: as `put`; the events before are stored.
        """
        n_new, n_bytes = 0, 0
        sent: list[_Arrival] = []
        for event in events:
            sent.append(self._send(event))
            n_bytes += len(event.body)
            if len(sent) == _MAX_EVENTS_PER_COMMIT or n_bytes > _MAX_SENT_BYTES:
                n_new += sum(map(self._wait_for, sent))
                sent, n_bytes = [], 0
        return n_new + sum(map(self._wait_for, sent))

    def _send(self, event: InboxEvent) -> _Arrival:
        """Hand an event to the thread that writes.

        Raises:
            StoreError: too many wait already.
        """
        if self._thread is None:
            raise RuntimeError("the inbox writer is not started: call start() before put()")
        arrival = _Arrival(event.digest, event.action[:64], event.body)
        self.last_arrival = time.monotonic()
        self._count_bytes(arrival, 1)
        self._arrivals.put(arrival)
        return arrival

    def _wait_for(self, arrival: _Arrival) -> bool:
        since = self._storing_since
        is_stuck = since is not None and time.monotonic() - since > self._patience_s
        try:
            return arrival.is_new_future.result(timeout=0 if is_stuck else self._patience_s)
        except TimeoutError as error:
            raise StoreError(
                "the event is not stored yet: the database does not take it. It waits in memory until the "
                "database does, unless the server ends before; sent again, it is stored once"
            ) from error

    def _count_bytes(self, arrival: _Arrival, sign: int) -> None:
        with self._count_lock:
            n_bytes = self._n_waiting_bytes + sign * len(arrival.body)
            if sign > 0 and n_bytes > _MAX_WAITING_BYTES and self._n_waiting_bytes:
                raise StoreError(
                    "the event is not kept: the database takes none, and many wait in memory already; "
                    "`ris sync` reads the answer from Label Studio later"
                )
            self._n_waiting_bytes = n_bytes

    def check(self) -> None:
        """Check that an event could be stored now.

        Raises:
            StoreError: it could not; the message says why.
        """
        self._database.check_writable()

    def _run(self) -> None:
        batch: list[_Arrival] = []
        while (first := self._arrivals.get()) is not None:
            batch = [first, *self._gather(len(batch) - 1)]
            self._storing_since = time.monotonic()
            self._store(batch)
            self._storing_since = None
            for arrival in batch:
                self._count_bytes(arrival, -1)

    def _store(self, batch: Sequence[_Arrival]) -> None:
        """Commit events and tell their senders. If a value is refused, each is committed by itself."""
        try:
            new = self._commit_patiently(batch)
        except Exception as error:
            is_passing = isinstance(error, StoreError) and not isinstance(error, StoreRefusal)
            if len(batch) > 1 and not is_passing:
                for arrival in batch:
                    self._store([arrival])
                return
            reason = error
            if not isinstance(error, BackendError):
                reason = StoreError(f"the event could not be stored: {describe_error(error)}")
            log.error("%d events could not be stored: %s", len(batch), reason)
            for arrival in batch:
                arrival.is_new_future.set_exception(reason)
            return
        for arrival, is_new in zip(batch, new, strict=True):
            arrival.is_new_future.set_result(is_new)

    def _commit_patiently(self, batch: Sequence[_Arrival]) -> list[bool]:
        """Commit until the database takes the events, or the server ends."""
        for n_failed in itertools.count():
            try:
                return self._commit(batch)
            except StoreRefusal:
                raise
            except StoreError as error:
                if not n_failed:
                    log.warning("%d events wait in memory for the database: %s", len(batch), error)
                if self._closing.wait(min(_MIN_PAUSE_S * 2 ** min(n_failed, 10), _MAX_PAUSE_S)):
                    raise
        raise AssertionError("the loop has no end")

    def _gather(self, expected: int) -> list[_Arrival]:
        """Return the other events that have arrived; the end mark goes back into the queue.

        Args:
            expected: the number of events to wait for, at most _GATHER_S: as many as last time are likely to
                come again. 0 does not wait.
        """
        found: list[_Arrival] = []
        until = time.monotonic() + _GATHER_S
        while len(found) < _MAX_EVENTS_PER_COMMIT:
            try:
                rest_s = until - time.monotonic() if len(found) < expected else 0.0
                arrival = self._arrivals.get(timeout=rest_s) if rest_s > 0 else self._arrivals.get_nowait()
            except queue.Empty:
                break
            if arrival is None:
                self._arrivals.put(None)
                break
            found.append(arrival)
        return found

    def _commit(self, batch: Sequence[_Arrival]) -> list[bool]:
        """Insert all events in one statement, and return whether each is new; of equal ones the first is."""
        now = self._now()
        rows = [
            {"digest": a.digest, "received_at": now, "action": a.action, "body": a.body, "state": "new"}
            for a in {arrival.digest: arrival for arrival in batch}.values()
        ]
        with self.lock:
            with self._database.begin_connection() as connection:
                if connection.execute(
                    make_insert_or_ignore(connection, _RAW_EVENT_TABLE), rows
                ).rowcount == len(batch):
                    return [True] * len(batch)
                connection.rollback()
            # Some are stored already: a slower statement says which.
            with self._database.begin_connection() as connection:
                insert = make_insert_or_ignore(connection, _RAW_EVENT_TABLE).returning(
                    _RAW_EVENT_TABLE.c.digest
                )
                new_digests = set(connection.scalars(insert, rows))
        is_new: list[bool] = []
        for arrival in batch:
            is_new.append(arrival.digest in new_digests)
            new_digests.discard(arrival.digest)
        return is_new

    def close(self) -> None:
        """Store the events that have arrived, and stop; each is tried once more if the database refuses."""
        self._closing.set()
        self._arrivals.put(None)
        if self._thread is not None:
            self._thread.join(timeout=_CLOSE_TIMEOUT_S)
        self._database.close()
