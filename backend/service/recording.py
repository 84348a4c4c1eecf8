"""Decisions of annotators: an event is written down first, answered, and worked on after."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from threading import Event as Signal
from threading import Lock, Thread

from backend.core.types import Annotation, Offer
from backend.core.verdict import judge
from backend.errors import BackendError
from backend.labelstudio.event import Event, digest, read_event, without_secrets
from backend.labelstudio.region import as_shown
from backend.store.inbox import InboxWriter, mark_done, mark_failed, next_events
from backend.store.records import add_correction, add_deletion, offers_on
from backend.store.session import Database, Session

log = logging.getLogger(__name__)

IDLE_S = 5.0  # how often the inbox is looked at when nobody says that something came


class Recording:
    """The inbox and the thread that works it off.

    An event that cannot be understood is kept, marked with the sentence that says why.
    """

    def __init__(self, database: Database, *, now: Callable[[], datetime]) -> None:
        self.database, self.now = database, now
        self._writer = InboxWriter(database, now=now)
        self._came, self._closing = Signal(), Signal()
        self._one_at_a_time = Lock()
        self._thread = Thread(target=self._work, name="inbox", daemon=True)
        self._thread.start()

    def record(self, body: dict[str, object]) -> bool:
        """Write an event down durably; False when the very same event is there already.

        Raises:
            StoreError: it could not be written; nothing of it is kept.
        """
        clean = without_secrets(body)
        new = self._writer.put(digest=digest(clean), action=str(clean.get("action", "")), body=clean)
        self._came.set()
        return new

    def _work(self) -> None:
        while not self._closing.is_set():
            self._came.clear()
            try:
                worked = self.work_off()
            except Exception:
                log.exception("the inbox could not be worked on; it is tried again")
                worked = 0
            if not worked:
                self._came.wait(IDLE_S)

    def work_off(self, limit: int = 100) -> int:
        """Work on the events that wait, oldest first; how many there were."""
        with self._one_at_a_time:
            with self.database.begin() as session:
                waiting = next_events(session, limit=limit)
            for event_id, body in waiting:
                self._process(event_id, body)
            return len(waiting)

    def _process(self, event_id: int, body: dict[str, object]) -> None:
        """One event in one transaction: all of it or nothing, and its state with it."""
        try:
            event = read_event(body)
            failures = "; ".join(event.failures)
            with self.database.begin() as session:
                self._keep(session, event, event_id)
                if failures:
                    mark_failed(session, event_id, failures, now=self.now())
                else:
                    mark_done(session, event_id, now=self.now())
            if failures:
                log.warning("event %d is kept but not understood in full: %s", event_id, failures)
        except BackendError as error:
            log.warning("event %d is kept but not understood: %s", event_id, error)
            self._fail(event_id, str(error))
        except Exception as error:
            # It must not stand in the way of those behind it; with the database gone this raises again.
            log.exception("event %d is kept but failed inside", event_id)
            self._fail(event_id, f"failed inside: {type(error).__name__}: {error}")

    def _keep(self, session: Session, event: Event, event_id: int) -> None:
        now = self.now()
        for annotation in event.annotations:
            offers = newest(offers_on(session, annotation.task), annotation)
            shown = [as_shown(offer, event.controls) for offer in offers] if event.controls else []
            version = offers[0].suggestion.version if offers else None
            add_correction(session, judge(annotation, shown), version=version, event_id=event_id, now=now)
        add_deletion(
            session, event.project, annotation_ids=event.deleted_annotation_ids,
            task_ids=event.deleted_task_ids, event_id=event_id, now=now,
        )  # fmt: skip

    def _fail(self, event_id: int, reason: str) -> None:
        with self.database.begin() as session:
            mark_failed(session, event_id, reason, now=self.now())

    def close(self) -> None:
        """Finish the event that is worked on; the others wait in the database."""
        self._closing.set()
        self._came.set()
        self._writer.close()
        self._thread.join(timeout=30)


def newest(offers: Sequence[Offer], annotation: Annotation) -> tuple[Offer, ...]:
    """The offers that were on the screen: of the version that the annotation names, else the newest.

    Args:
        offers: of every version, newest version first.
    """
    if not offers:
        return ()
    named = [o.suggestion.version for o in offers if o.region_id in annotation.region_ids]
    version = named[0] if named else offers[0].suggestion.version
    return tuple(offer for offer in offers if offer.suggestion.version == version)
