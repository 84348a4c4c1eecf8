"""The inbox: events are written down by one thread, many in one commit, before anyone is answered."""

import logging
import queue
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock, Thread
from typing import Any

from sqlalchemy import JSON, String, TypeDecorator, column, func, select, table, update
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import Session

from ris.errors import BackendError, InputError, StoreError
from ris.store.records import make_insert_or_ignore
from ris.store.schema import CorrectionRow, EventRow, UtcDateTime
from ris.store.session import Database

log = logging.getLogger(__name__)

_MAX_EVENTS_PER_COMMIT = 200
_WRITE_TIMEOUT_S = 30.0
_GATHER_S = 0.002


class RawJson(TypeDecorator[str]):
    """JSON that is text already."""

    impl = JSON
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> None:
        """Nothing is left to be written."""


# The events with bodies that are text: they are written as JSON once, for their digest.
_RAW_EVENT_TABLE = table(
    "event", column("digest", String), column("received_at", UtcDateTime), column("action", String),
    column("body", RawJson), column("state", String),
)  # fmt: skip


def find_new_events(session: Session, *, limit: int) -> list[tuple[int, dict[str, Any]]]:
    """Events that wait, oldest first: their numbers and bodies."""
    rows = session.scalars(select(EventRow).where(EventRow.state == "new").order_by(EventRow.id).limit(limit))
    return [(row.id, row.body) for row in rows]


def mark_event_done(session: Session, event_id: int, *, now: datetime) -> None:
    """Say that an event has been worked on."""
    row = session.get_one(EventRow, event_id)
    row.state, row.error, row.processed_at = "done", None, now


def mark_event_failed(session: Session, event_id: int, reason: str, *, now: datetime) -> None:
    """Keep an event that could not be understood, with the sentence that says why."""
    row = session.get_one(EventRow, event_id)
    row.state, row.error, row.processed_at = "failed", reason, now


def check_events(session: Session, numbers: Collection[int]) -> None:
    """Refuse numbers that no event has.

    Raises:
        InputError: there is no such event.
    """
    possible = [number for number in numbers if 0 < number < 2**31]  # others are no numbers of a row
    known = set(session.scalars(select(EventRow.id).where(EventRow.id.in_(possible))))
    for number in numbers:
        if number not in known:
            raise InputError(f"there is no event {number}; `ris events --failed` names events that failed")


def requeue_events(session: Session, numbers: Collection[int] | None = None) -> int:
    """Let events be worked on again: these, or all that failed. How many there are.

    Raises:
        InputError: there is no such event; nothing is changed.
    """
    if numbers is not None:
        check_events(session, numbers)
    query = update(EventRow).values(state="new", error=None, processed_at=None)
    chosen = EventRow.state == "failed" if numbers is None else EventRow.id.in_(numbers)
    renewed = session.execute(query.where(chosen).returning(EventRow.id)).all()
    return len(renewed)


def find_projects_with_corrections(session: Session) -> set[str]:
    """Keys of the projects that a webhook or a sync brought a decision of."""
    return set(session.scalars(select(CorrectionRow.project).distinct()))


def count_events(session: Session) -> Mapping[str, int]:
    """How many events are new, done and failed."""
    counted = session.execute(select(EventRow.state, func.count()).group_by(EventRow.state)).all()
    return {"new": 0, "done": 0, "failed": 0} | {row[0]: row[1] for row in counted}


@dataclass(frozen=True, slots=True)
class _Arrival:
    digest: str
    action: str
    body: str
    written: Future[bool] = field(default_factory=Future)


class InboxWriter:
    """Writes events down, durably, from many threads: one thread commits what all of them brought.

    Attributes:
        lock: held while it writes. Whoever else writes much takes it too: a database that has one writer at a
            time, such as SQLite, would let the second one poll.
        last_arrival: when an event came last, in seconds that never run backwards.
    """

    def __init__(self, database: Database, *, now: Callable[[], datetime]) -> None:
        self.lock, self.last_arrival = Lock(), 0.0
        self._database, self._now = database, now
        self._arrivals: queue.SimpleQueue[_Arrival | None] = (
            queue.SimpleQueue()
        )  # as long as there are callers
        self._thread: Thread | None = None

    def start(self) -> None:
        """Start the thread that writes."""
        self._thread = Thread(target=self._write, name="inbox-writer", daemon=True)
        self._thread.start()

    def put(self, *, digest: str, action: str, body: str) -> bool:
        """Return when the event is on disk: True for a new one, False for one that was there.

        Args:
            body: its JSON.

        Raises:
            StoreError: it could not be written; nothing of it is kept.
        """
        if self._thread is None:
            raise RuntimeError("the inbox writer is not started: call start() before put()")
        arrival = _Arrival(digest, action[:64], body)
        self.last_arrival = time.monotonic()
        try:
            self._arrivals.put(arrival)
            return arrival.written.result(timeout=_WRITE_TIMEOUT_S)
        except TimeoutError as error:
            raise StoreError("the database is too slow to take another event; it was not kept") from error

    def _write(self) -> None:
        batch: list[_Arrival] = []
        while (first := self._arrivals.get()) is not None:
            batch = [first, *self._gather(len(batch) - 1)]
            try:
                new = self._commit(batch)
            except Exception as error:
                reason = (
                    error
                    if isinstance(error, BackendError)
                    else StoreError(f"the event was not kept: {error}")
                )
                log.error("%d events could not be written: %s", len(batch), error)
                for arrival in batch:
                    arrival.written.set_exception(reason)
                continue
            for arrival, is_new in zip(batch, new, strict=True):
                arrival.written.set_result(is_new)

    def _gather(self, expected: int) -> list[_Arrival]:
        """What else has arrived by now; the end mark is put back for the loop to see.

        Args:
            expected: as many as last time are on their way again, and it pays to wait a moment for them; who
                comes alone does not wait.
        """
        found: list[_Arrival] = []
        until = time.monotonic() + _GATHER_S
        while len(found) < _MAX_EVENTS_PER_COMMIT:
            try:
                left_s = until - time.monotonic() if len(found) < expected else 0.0
                arrival = self._arrivals.get(timeout=left_s) if left_s > 0 else self._arrivals.get_nowait()
            except queue.Empty:
                break
            if arrival is None:
                self._arrivals.put(None)
                break
            found.append(arrival)
        return found

    def _commit(self, batch: Sequence[_Arrival]) -> list[bool]:
        """One statement for all of them; whether each is new. Of two alike the first is."""
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
            # Some are known already: which of them takes a slower statement.
            with self._database.begin_connection() as connection:
                insert = make_insert_or_ignore(connection, _RAW_EVENT_TABLE).returning(
                    _RAW_EVENT_TABLE.c.digest
                )
                new = set(connection.scalars(insert, rows))
        told: list[bool] = []
        for arrival in batch:
            told.append(arrival.digest in new)
            new.discard(arrival.digest)
        return told

    def close(self) -> None:
        """Write what has arrived, then stop."""
        self._arrivals.put(None)
        if self._thread is not None:
            self._thread.join(timeout=_WRITE_TIMEOUT_S)
