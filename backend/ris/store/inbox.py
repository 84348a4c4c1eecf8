"""The inbox: one thread stores events, many in one commit, before their senders are answered."""

import itertools
import logging
import queue
import random
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event, Lock, Thread

from sqlalchemy import JSON, String, TypeDecorator, column, func, select, table, update
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import Session

from ris.errors import BackendError, InputError, StoreError, StoreRefusal
from ris.redaction.messages import describe_error
from ris.redaction.text import redact_text
from ris.store.records import make_insert_or_ignore
from ris.store.schema import EventRow, UtcDateTime
from ris.store.session import Database

log = logging.getLogger(__name__)

_MAX_EVENTS_PER_COMMIT = 200
_CLOSE_TIMEOUT_S = 30.0
_CONNECTIONS = 2  # the writing thread's, and that of a check
_LOCK_WAIT_S = 2.0
_MIN_PAUSE_S, _MAX_PAUSE_S = 0.1, 2.0  # before the database is asked again, doubled with each failure
_MAX_WAITING_BYTES = 64 * 2**20  # of events that wait in memory for the database
_GATHER_S = 0.002
_MIN_RETRY_DELAY, MAX_EVENT_DELAY = timedelta(seconds=5), timedelta(minutes=10)


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


def postpone_event(session: Session, event_id: int, *, now: datetime) -> None:
    """Let a new event wait: 5 s, twice as long with each attempt, at most 10 minutes.

    The delay is shortened at random by up to a half, so that events are not tried again all at once.
    """
    row = session.get_one(EventRow, event_id)
    delay = min(_MIN_RETRY_DELAY * 2 ** min(row.attempts, 20), MAX_EVENT_DELAY)
    row.attempts, row.retry_at = row.attempts + 1, now + delay * random.uniform(0.5, 1)


def mark_event_done(session: Session, event_id: int, *, now: datetime) -> None:
    """Mark an event as done."""
    row = session.get_one(EventRow, event_id)
    row.state, row.error, row.processed_at = "done", None, now


def mark_event_failed(session: Session, event_id: int, reason: str, *, now: datetime) -> None:
    """Mark an event as failed, with the reason."""
    row = session.get_one(EventRow, event_id)
    row.state, row.error, row.processed_at = "failed", redact_text(reason), now


def check_events(session: Session, numbers: Collection[int]) -> None:
    """Raise unless every number is that of an event.

    Raises:
        InputError: there is no such event.
    """
    possible = [number for number in numbers if 0 < number < 2**31]  # PostgreSQL refuses larger ones
    known = set(session.scalars(select(EventRow.id).where(EventRow.id.in_(possible))))
    for number in numbers:
        if number not in known:
            raise InputError(f"there is no event {number}; `ris events --failed` names events that failed")


def requeue_events(session: Session, numbers: Collection[int] | None = None) -> int:
    """Mark events as new, so that they are processed again, and return how many.

    Args:
        session: of the database.
        numbers: of the events; None takes all failed ones.

    Raises:
        InputError: there is no such event; nothing is changed.
    """
    if numbers is not None:
        check_events(session, numbers)
    query = update(EventRow).values(state="new", error=None, processed_at=None, attempts=0, retry_at=None)
    is_chosen = EventRow.state == "failed" if numbers is None else EventRow.id.in_(numbers)
    requeued = session.execute(query.where(is_chosen).returning(EventRow.id)).all()
    return len(requeued)


def count_events(session: Session) -> Mapping[str, int]:
    """Return the number of events by state: "new", "done" and "failed". All events are counted one by one."""
    counted = session.execute(select(EventRow.state, func.count()).group_by(EventRow.state)).all()
    return {"new": 0, "done": 0, "failed": 0} | {row[0]: row[1] for row in counted}


def count_unfinished_events(session: Session) -> Mapping[str, int]:
    """Return the number of events by state: "new" and "failed"; done ones are not read."""
    states = ("new", "failed")
    query = select(EventRow.state, func.count()).where(EventRow.state.in_(states)).group_by(EventRow.state)
    return dict.fromkeys(states, 0) | {row[0]: row[1] for row in session.execute(query)}


def count_new_events(session: Session) -> int:
    """Return the number of new events; done ones are not read."""
    return session.scalar(select(func.count()).where(EventRow.state == "new")) or 0


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

    def put(self, *, digest: str, action: str, body: str) -> bool:
        """Return once the event is on disk: True for a new one, False for one that was stored before.

        Args:
            digest: SHA-256 of the body; equal digests are one event.
            action: of the webhook.
            body: the event as JSON text.

        Raises:
            StoreError: it is not stored; the message says whether it waits in memory.
        """
        if self._thread is None:
            raise RuntimeError("the inbox writer is not started: call start() before put()")
        arrival = _Arrival(digest, action[:64], body)
        self.last_arrival = time.monotonic()
        self._count_bytes(arrival, 1)
        self._arrivals.put(arrival)
        since = self._storing_since
        is_stuck = since is not None and self.last_arrival - since > self._patience_s
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
