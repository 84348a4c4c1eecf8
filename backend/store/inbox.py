"""The inbox: events are written down by one thread, many in one commit, before anyone is answered."""

import logging
import queue
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from threading import Thread
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from backend.errors import BackendError, StoreError
from backend.store.records import add_once
from backend.store.schema import CorrectionRow, EventRow
from backend.store.session import Database

log = logging.getLogger(__name__)

LONGEST_QUEUE = 1000
LARGEST_BATCH = 200
WAIT_S = 30.0


def next_events(session: Session, *, limit: int) -> list[tuple[int, dict[str, Any]]]:
    """Events that wait, oldest first: their numbers and bodies."""
    rows = session.scalars(select(EventRow).where(EventRow.state == "new").order_by(EventRow.id).limit(limit))
    return [(row.id, row.body) for row in rows]


def mark_done(session: Session, event_id: int, *, now: datetime) -> None:
    """Say that an event has been worked on."""
    row = session.get_one(EventRow, event_id)
    row.state, row.error, row.processed_at = "done", None, now


def mark_failed(session: Session, event_id: int, reason: str, *, now: datetime) -> None:
    """Keep an event that could not be understood, with the sentence that says why."""
    row = session.get_one(EventRow, event_id)
    row.state, row.error, row.processed_at = "failed", reason, now


def failed_events(session: Session) -> list[tuple[int, str, str]]:
    """Number, action and reason of every failed event, oldest first."""
    rows = session.scalars(select(EventRow).where(EventRow.state == "failed").order_by(EventRow.id))
    return [(row.id, row.action, row.error or "") for row in rows]


def renew_events(session: Session, numbers: Collection[int] | None = None) -> int:
    """Let events be worked on again: these, or all that failed. How many there are."""
    query = update(EventRow).values(state="new", error=None, processed_at=None)
    chosen = EventRow.state == "failed" if numbers is None else EventRow.id.in_(numbers)
    renewed = session.execute(query.where(chosen).returning(EventRow.id)).all()
    return len(renewed)


def projects_heard_of(session: Session) -> set[str]:
    """Keys of the projects that a webhook or a sync brought a decision of."""
    return set(session.scalars(select(CorrectionRow.project).distinct()))


def event_counts(session: Session) -> Mapping[str, int]:
    """How many events are new, done and failed."""
    counted = session.execute(select(EventRow.state, func.count()).group_by(EventRow.state)).all()
    return {"new": 0, "done": 0, "failed": 0} | {row[0]: row[1] for row in counted}


@dataclass(frozen=True, slots=True)
class _Arrival:
    digest: str
    action: str
    body: dict[str, Any]
    written: Future[bool] = field(default_factory=Future)


class InboxWriter:
    """Writes events down, durably, from many threads: one thread commits what all of them brought."""

    def __init__(self, database: Database, *, now: Callable[[], datetime]) -> None:
        self._database, self._now = database, now
        self._arrivals: queue.Queue[_Arrival | None] = queue.Queue(LONGEST_QUEUE)
        self._thread = Thread(target=self._write, name="inbox-writer", daemon=True)
        self._thread.start()

    def put(self, *, digest: str, action: str, body: dict[str, Any]) -> bool:
        """Return when the event is on disk: True for a new one, False for one that was there.

        Raises:
            StoreError: it could not be written; nothing of it is kept.
        """
        arrival = _Arrival(digest, action[:64], body)
        try:
            self._arrivals.put(arrival, timeout=WAIT_S)
            return arrival.written.result(timeout=WAIT_S)
        except (queue.Full, TimeoutError) as error:
            raise StoreError("the database is too slow to take another event; it was not kept") from error

    def _write(self) -> None:
        while (first := self._arrivals.get()) is not None:
            batch = [first, *self._more()]
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

    def _more(self) -> list[_Arrival]:
        """What else has arrived by now; the end mark is put back for the loop to see."""
        found: list[_Arrival] = []
        while len(found) < LARGEST_BATCH:
            try:
                arrival = self._arrivals.get_nowait()
            except queue.Empty:
                break
            if arrival is None:
                self._arrivals.put(None)
                break
            found.append(arrival)
        return found

    def _commit(self, batch: list[_Arrival]) -> list[bool]:
        with self._database.begin() as session:
            return [
                add_once(
                    session,
                    EventRow,
                    received_at=self._now(),
                    digest=arrival.digest,
                    action=arrival.action,
                    body=arrival.body,
                    state="new",
                    error=None,
                    processed_at=None,
                )
                for arrival in batch
            ]

    def close(self) -> None:
        """Write what has arrived, then stop."""
        self._arrivals.put(None)
        self._thread.join(timeout=WAIT_S)
