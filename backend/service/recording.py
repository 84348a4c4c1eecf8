"""Decisions of annotators: an event is written down first, answered, and worked on after."""

import hashlib
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Event as Signal
from threading import Lock, Thread

from backend.core.types import Annotation, Correction, Offer
from backend.core.verdict import judge
from backend.errors import BackendError, StoreError
from backend.labelstudio.event import Event, as_text, read_event, without_secrets
from backend.labelstudio.region import as_shown
from backend.store.inbox import InboxWriter, mark_done, mark_failed, next_events
from backend.store.offers import find_offers
from backend.store.records import add_correction, add_deletion, keep_words, kept_words
from backend.store.session import Database, Session

log = logging.getLogger(__name__)

IDLE_S = 5.0  # how often the inbox is looked at when nobody says that something came
QUIET_S, PATIENCE_S = 0.1, 10.0  # work waits for a pause between arrivals, and not for ever
AT_ONCE, FEW = 50, 10  # events that are worked on in one transaction; when there is no pause


@dataclass(frozen=True, slots=True)
class Understood:
    """What an event comes to.

    Attributes:
        event: None when it could not be read.
        corrections: its answers, judged, each with the version of what was on offer.
        failure: why it, or a part of it, could not be understood; "" when all of it could.
    """

    number: int
    event: Event | None
    corrections: Sequence[tuple[Correction, str | None]] = ()
    failure: str = ""


class Recording:
    """The inbox and the thread that works it off.

    An event that cannot be understood is kept, marked with the sentence that says why. Whoever waits for an
    answer goes first: events are understood without holding the database, and written many at a time.
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
        text = as_text(clean)
        digest = hashlib.sha256(text.encode()).hexdigest()
        new = self._writer.put(digest=digest, action=str(clean.get("action", "")), body=text)
        self._came.set()
        return new

    def _work(self) -> None:
        while not self._closing.is_set():
            self._came.clear()
            try:
                worked = self.work_off(AT_ONCE if self._others_have_passed() else FEW)
            except Exception:
                log.exception("the inbox could not be worked on; it is tried again")
                worked = 0
            if not worked:
                self._came.wait(IDLE_S)

    def _others_have_passed(self) -> bool:
        """Wait for a pause between arrivals; False when patience was over first."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() - self._writer.last_arrival < QUIET_S:
            if time.monotonic() > until or self._closing.wait(QUIET_S):
                return False
        return True

    def work_off(self, limit: int = AT_ONCE) -> int:
        """Work on the events that wait, oldest first; how many there were."""
        with self._one_at_a_time:
            with self.database.begin() as session:
                waiting = next_events(session, limit=limit)
            understood = [self._understand(number, body) for number, body in waiting]
            try:
                self._write(understood)
            except Exception:
                # One of them may be what the database refuses: then it is that one's failure alone.
                for one in understood:
                    self._write_alone(one)
            return len(waiting)

    def _understand(self, number: int, body: dict[str, object]) -> Understood:
        """Read it and judge its answers. Never raises but for the database."""
        try:
            event = read_event(body)
            with self.database.begin() as session:
                judged = [_judged(session, annotation, event) for annotation in event.annotations]
            return Understood(number, event, judged, "; ".join(event.failures))
        except StoreError:
            raise
        except BackendError as error:
            return Understood(number, None, failure=str(error))
        except Exception as error:
            # It must not stand in the way of those behind it.
            log.exception("event %d is kept but failed inside", number)
            return Understood(number, None, failure=f"failed inside: {type(error).__name__}: {error}")

    def _write(self, understood: Sequence[Understood]) -> None:
        """All of them in one transaction, and their states with them."""
        if not understood:
            return
        now = self.now()
        with self._writer.lock, self.database.begin() as session:
            for one in understood:
                if one.event:
                    for correction, version in one.corrections:
                        add_correction(session, correction, version=version, event_id=one.number, now=now)
                        if (keeps := correction.annotation.keeps) is not None:
                            task, at = correction.annotation.task, correction.annotation.updated_at
                            keep_words(session, task.project, keeps, at=at)
                    add_deletion(
                        session, one.event.project, annotation_ids=one.event.deleted_annotation_ids,
                        task_ids=one.event.deleted_task_ids, event_id=one.number, now=now,
                    )  # fmt: skip
                if one.failure:
                    mark_failed(session, one.number, one.failure, now=now)
                else:
                    mark_done(session, one.number, now=now)
        for one in understood:
            if one.failure:
                log.warning("event %d is kept but not understood in full: %s", one.number, one.failure)

    def _write_alone(self, one: Understood) -> None:
        try:
            self._write([one])
        except Exception as error:
            # With the database gone this raises again, and the event stays new.
            self._write([Understood(one.number, None, failure=str(error))])

    def kept_words(self, project: str) -> str:
        """The expression that a project's annotators keep, after all that has come in; "" for none."""
        while self.work_off():
            pass
        with self.database.begin() as session:
            return kept_words(session, project)

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


def _judged(session: Session, annotation: Annotation, event: Event) -> tuple[Correction, str | None]:
    offers = newest(find_offers(session, [annotation])[0], annotation)
    shown = [as_shown(offer, event.controls) for offer in offers] if event.controls else []
    return judge(annotation, shown), offers[0].suggestion.version if offers else None
