"""The states of the events in the inbox: new, done or failed."""

import random
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from ris.errors import InputError
from ris.redaction.text import redact_text
from ris.store.schema import EventRow

_MIN_RETRY_DELAY, MAX_EVENT_DELAY = timedelta(seconds=5), timedelta(minutes=10)


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
