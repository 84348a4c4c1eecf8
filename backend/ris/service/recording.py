"""Decisions of annotators: an event is written down first, answered, and worked on after."""

import hashlib
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Event as Signal
from threading import Lock, Thread

from ris.core.types import Annotation, Correction, Offer, Size, Task
from ris.core.verdict import judge
from ris.errors import BackendError, StoreError
from ris.labelstudio.event import Event, as_text, failures_of, read_event, without_secrets
from ris.labelstudio.failure import Failure
from ris.labelstudio.region import as_shown
from ris.store.failures import FailedAnswer, replace_failures, settle_deleted, settle_failures
from ris.store.inbox import InboxWriter, mark_done, mark_failed, next_events
from ris.store.label_configs import see_label_config
from ris.store.offers import find_offers
from ris.store.pictures import certain_size, find_pictures
from ris.store.records import add_correction, add_deletion, keep_words, kept_words
from ris.store.session import Database, Session

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
        failures: why it, or parts of it, could not be understood; empty when all of it could.
    """

    number: int
    event: Event | None
    corrections: Sequence[tuple[Correction, str | None]] = ()
    failures: Sequence[Failure] = ()


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
            event = read_event(body, self.known_size)
            with self.database.begin() as session:
                judged = [_judged(session, annotation, event) for annotation in event.annotations]
            return Understood(number, event, judged, event.failures)
        except StoreError:
            raise
        except BackendError as error:
            return Understood(number, None, failures=failures_of(body, error))
        except Exception as error:
            # It must not stand in the way of those behind it.
            log.exception("event %d is kept but failed inside", number)
            inside = BackendError(f"failed inside: {type(error).__name__}: {error}")
            return Understood(number, None, failures=failures_of(body, inside))

    def _write(self, understood: Sequence[Understood]) -> None:
        """All of them in one transaction, and their states with them."""
        if not understood:
            return
        now = self.now()
        with self._writer.lock, self.database.begin() as session:
            for one in understood:
                if one.event:
                    _write_event(session, one, one.event, now=now)
                _write_state(session, one, now=now)
        for one in understood:
            for failure in one.failures:
                log.warning("event %d is kept but not understood in full: %s", one.number, failure.sentence)

    def _write_alone(self, one: Understood) -> None:
        try:
            self._write([one])
        except Exception as error:
            # With the database gone this raises again, and the event stays new.
            self._write([Understood(one.number, None, failures=_refused(one, error))])

    def known_size(self, task: Task) -> Size | None:
        """The size of a task's image, (height, width); None where it is not known for certain."""
        with self.database.begin() as session:
            (pictures,) = find_pictures(session, [task])
        return certain_size(pictures)

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


def _write_event(session: Session, one: Understood, event: Event, *, now: datetime) -> None:
    """What an event says, and that it settles what could not be understood before."""
    for correction, version in one.corrections:
        annotation, project = correction.annotation, correction.annotation.task.project
        add_correction(session, correction, version=version, event_id=one.number, now=now)
        settle_failures(
            session,
            project,
            annotation.annotation_id,
            until=annotation.updated_at,
            besides=one.number,
            now=now,
        )
        if annotation.keeps is not None:
            keep_words(session, project, annotation.keeps, at=annotation.updated_at)
    if event.label_config and event.annotations:
        at = max(annotation.updated_at for annotation in event.annotations)
        see_label_config(session, event.project, event.label_config, at=at)
    gone = {"annotation_ids": event.deleted_annotation_ids, "task_ids": event.deleted_task_ids}
    add_deletion(session, event.project, **gone, event_id=one.number, now=now)
    settle_deleted(session, event.project, **gone, now=now)


def _write_state(session: Session, one: Understood, *, now: datetime) -> None:
    failures = [_failed_answer(one.number, failure) for failure in one.failures]
    if still_open := replace_failures(session, one.number, failures, now=now):
        mark_failed(session, one.number, "; ".join(f.sentence for f in still_open), now=now)
    else:
        mark_done(session, one.number, now=now)


def _refused(one: Understood, error: Exception) -> list[Failure]:
    """The failures of an event that could not be written: each of its answers, or the event without one."""
    failure = Failure.of(error)
    answers = [
        replace(
            failure, project=annotation.task.project, task_id=annotation.task.task_id,
            annotation_id=annotation.annotation_id, updated_at=annotation.updated_at,
        )
        for correction, _ in one.corrections for annotation in [correction.annotation]
    ]  # fmt: skip
    return [*answers, *one.failures] or [failure]


def _failed_answer(event: int, failure: Failure) -> FailedAnswer:
    return FailedAnswer(
        event, failure.cause, failure.sentence, failure.project, failure.task_id, failure.annotation_id,
        failure.updated_at,
    )  # fmt: skip


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
