"""Claim new events, so that several servers on one PostgreSQL process different ones.

A claim is an advisory lock that ends with its transaction: PostgreSQL frees the events of a server that dies
at once. SQLite serves one server (`store.server_lock`); there the oldest events are taken without a lock. Who
writes an event's decisions confirms first that it is still new, so no event is processed twice in any case.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select, text, update
from sqlalchemy.orm import Session

from ris.store.inbox import MAX_EVENT_DELAY
from ris.store.schema import EventRow

_LOCK_SPACE = 731_746_026  # first half of the lock's key; any number that no other program uses
_CANDIDATES_PER_EVENT = 20  # the oldest ones are tried, until enough are free
_CLAIM_FREE_ONES = text(
    "SELECT id FROM unnest(CAST(:candidates AS integer[])) AS id "
    "WHERE pg_try_advisory_xact_lock(:space, id) LIMIT :limit"
)


def claim_new_events(
    session: Session, *, limit: int, now: datetime | None = None
) -> list[tuple[int, dict[str, Any]]]:
    """Claim the oldest new events that nobody else has claimed: their numbers and bodies, oldest first.

    The claims last until the session's transaction ends. The decisions are written in another transaction,
    which can fail and be tried again while the events stay claimed.

    Args:
        session: of the database.
        limit: the most events.
        now: the time, in UTC: postponed events that are not due are left out. None takes them too.
    """
    candidates = select(EventRow.id).where(EventRow.state == "new").order_by(EventRow.id)
    if now is not None:
        # One further away than the longest delay was written while the clock was wrong.
        is_due = or_(EventRow.retry_at <= now, EventRow.retry_at > now + MAX_EVENT_DELAY)
        candidates = candidates.where(or_(EventRow.retry_at.is_(None), is_due))
    free = _select_free(session, candidates, limit)
    # Another server may have finished one of them since: only what is new now is returned.
    rows = session.scalars(
        select(EventRow).where(EventRow.id.in_(free), EventRow.state == "new").order_by(EventRow.id)
    )
    return [(row.id, row.body) for row in rows]


def _select_free(session: Session, candidates: Any, limit: int) -> Sequence[int]:
    if session.get_bind().dialect.name != "postgresql":
        return session.scalars(candidates.limit(limit)).all()
    ids = list(session.scalars(candidates.limit(limit * _CANDIDATES_PER_EVENT)))
    asked = {"candidates": ids, "space": _LOCK_SPACE, "limit": limit}
    return session.execute(_CLAIM_FREE_ONES, asked).scalars().all()


def confirm_new_events(session: Session, numbers: Collection[int]) -> set[int]:
    """Return those of these events that are still new, and keep others from writing them until the commit."""
    still_new = update(EventRow).where(EventRow.id.in_(numbers), EventRow.state == "new")
    confirmed = session.execute(still_new.values(state=EventRow.state).returning(EventRow.id))
    return set(confirmed.scalars())
