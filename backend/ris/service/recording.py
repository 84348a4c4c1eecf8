"""Decisions of annotators: an event is written down first, answered, and worked on after."""

import hashlib
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Event as Signal
from threading import Lock, Thread

from ris.core.types import Alternative, Annotation, Correction, Size, Task
from ris.core.verdict import judge_annotation
from ris.errors import BackendError, StoreError
from ris.labelstudio.event import WebhookEvent, make_failures, read_event
from ris.labelstudio.failure import Failure
from ris.labelstudio.region import to_shown_alternative
from ris.labelstudio.stored_body import drop_secrets, to_canonical_json
from ris.store.alternatives import find_answer_alternatives
from ris.store.failures import FailedAnswer, replace_failures, resolve_failures, resolve_failures_of_deleted
from ris.store.inbox import InboxWriter, find_new_events, mark_event_done, mark_event_failed
from ris.store.known_images import find_certain_size, find_known_images
from ris.store.label_configs import save_label_config
from ris.store.records import add_correction, add_deletion, find_carried_expression, save_carried_expression
from ris.store.session import Database, Session

log = logging.getLogger(__name__)

_IDLE_INTERVAL_S = 5.0  # how often the inbox is looked at when nobody says that something came
_QUIET_S, _MAX_QUIET_WAIT_S = 0.1, 10.0  # work waits for a pause between arrivals, and not for ever
_MAX_EVENTS, _MAX_EVENTS_WHEN_BUSY = (
    50,
    10,
)  # events that are worked on in one transaction; when there is no pause


@dataclass(frozen=True, slots=True)
class ProcessedEvent:
    """What an event comes to.

    Attributes:
        event: None when it could not be read.
        corrections: its answers, judged, each with the version of what was on offer.
        failures: why it, or parts of it, could not be understood; empty when all of it could.
    """

    number: int
    event: WebhookEvent | None
    corrections: Sequence[tuple[Correction, str | None]] = ()
    failures: Sequence[Failure] = ()


class RecordingService:
    """The inbox and the thread that works it off.

    An event that cannot be understood is kept, marked with the sentence that says why. Whoever waits for an
    answer goes first: events are understood without holding the database, and written many at a time.
    """

    def __init__(self, database: Database, *, now: Callable[[], datetime]) -> None:
        self.database, self.now = database, now
        self._writer = InboxWriter(database, now=now)
        self._arrival_signal, self._closing = Signal(), Signal()
        self._processing_lock = Lock()
        self._thread: Thread | None = None

    def start(self) -> None:
        """Start the two threads: one writes events down, one processes them."""
        self._writer.start()
        self._thread = Thread(target=self._run, name="inbox", daemon=True)
        self._thread.start()

    def record(self, body: dict[str, object]) -> bool:
        """Write an event down durably; False when the very same event is there already.

        Raises:
            StoreError: it could not be written; nothing of it is kept.
        """
        clean = drop_secrets(body)
        text = to_canonical_json(clean)
        digest = hashlib.sha256(text.encode()).hexdigest()
        new = self._writer.put(digest=digest, action=str(clean.get("action", "")), body=text)
        self._arrival_signal.set()
        return new

    def _run(self) -> None:
        while not self._closing.is_set():
            self._arrival_signal.clear()
            try:
                worked = self.process_events(_MAX_EVENTS if self._wait_for_quiet() else _MAX_EVENTS_WHEN_BUSY)
            except Exception:
                log.exception("the inbox could not be worked on; it is tried again")
                worked = 0
            if not worked:
                self._arrival_signal.wait(_IDLE_INTERVAL_S)

    def _wait_for_quiet(self) -> bool:
        """Wait for a pause between arrivals; False when patience was over first."""
        until = time.monotonic() + _MAX_QUIET_WAIT_S
        while time.monotonic() - self._writer.last_arrival < _QUIET_S:
            if time.monotonic() > until or self._closing.wait(_QUIET_S):
                return False
        return True

    def process_events(self, limit: int = _MAX_EVENTS) -> int:
        """Work on the events that wait, oldest first; how many there were."""
        with self._processing_lock:
            with self.database.begin() as session:
                waiting = find_new_events(session, limit=limit)
            understood = [self._process_event(number, body) for number, body in waiting]
            try:
                self._write(understood)
            except Exception:
                # One of them may be what the database refuses: then it is that one's failure alone.
                for one in understood:
                    self._write_one(one)
            return len(waiting)

    def _process_event(self, number: int, body: dict[str, object]) -> ProcessedEvent:
        """Read it and judge its answers. Never raises but for the database."""
        try:
            event = read_event(body, self.find_image_size)
            with self.database.begin() as session:
                judged = [_judge_annotation(session, annotation, event) for annotation in event.annotations]
            return ProcessedEvent(number, event, judged, event.failures)
        except StoreError:
            raise
        except BackendError as error:
            return ProcessedEvent(number, None, failures=make_failures(body, error))
        except Exception as error:
            # It must not stand in the way of those behind it.
            log.exception("event %d is kept but failed inside", number)
            inside = BackendError(f"failed inside: {type(error).__name__}: {error}")
            return ProcessedEvent(number, None, failures=make_failures(body, inside))

    def _write(self, understood: Sequence[ProcessedEvent]) -> None:
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

    def _write_one(self, one: ProcessedEvent) -> None:
        try:
            self._write([one])
        except Exception as error:
            # With the database gone this raises again, and the event stays new.
            self._write([ProcessedEvent(one.number, None, failures=_make_write_failures(one, error))])

    def find_image_size(self, task: Task) -> Size | None:
        """The size of a task's image, (height, width); None where it is not known for certain."""
        with self.database.begin() as session:
            (pictures,) = find_known_images(session, [task])
        return find_certain_size(pictures)

    def kept_words(self, project: str) -> str:
        """The expression that a project's annotators keep, after all that has come in; "" for none."""
        while self.process_events():
            pass
        with self.database.begin() as session:
            return find_carried_expression(session, project)

    def close(self) -> None:
        """Finish the event that is worked on; the others wait in the database."""
        self._closing.set()
        self._arrival_signal.set()
        self._writer.close()
        if self._thread is not None:
            self._thread.join(timeout=30)


def _write_event(session: Session, one: ProcessedEvent, event: WebhookEvent, *, now: datetime) -> None:
    """What an event says, and that it settles what could not be understood before."""
    for correction, version in one.corrections:
        annotation, project = correction.annotation, correction.annotation.task.project
        add_correction(session, correction, version=version, event_id=one.number, now=now)
        resolve_failures(
            session,
            project,
            annotation.annotation_id,
            until=annotation.updated_at,
            besides=one.number,
            now=now,
        )
        if annotation.carried_expression is not None:
            save_carried_expression(session, project, annotation.carried_expression, at=annotation.updated_at)
    if event.label_config and event.annotations:
        at = max(annotation.updated_at for annotation in event.annotations)
        save_label_config(session, event.project, event.label_config, at=at)
    gone = {"annotation_ids": event.deleted_annotation_ids, "task_ids": event.deleted_task_ids}
    add_deletion(session, event.project, **gone, event_id=one.number, now=now)
    resolve_failures_of_deleted(session, event.project, **gone, now=now)


def _write_state(session: Session, one: ProcessedEvent, *, now: datetime) -> None:
    failures = [_to_failed_answer(one.number, failure) for failure in one.failures]
    if still_open := replace_failures(session, one.number, failures, now=now):
        mark_event_failed(session, one.number, "; ".join(f.sentence for f in still_open), now=now)
    else:
        mark_event_done(session, one.number, now=now)


def _make_write_failures(one: ProcessedEvent, error: Exception) -> list[Failure]:
    """The failures of an event that could not be written: each of its answers, or the event without one."""
    failure = Failure.from_error(error)
    answers = [
        replace(
            failure, project=annotation.task.project, task_id=annotation.task.task_id,
            annotation_id=annotation.annotation_id, updated_at=annotation.updated_at,
        )
        for correction, _ in one.corrections for annotation in [correction.annotation]
    ]  # fmt: skip
    return [*answers, *one.failures] or [failure]


def _to_failed_answer(event: int, failure: Failure) -> FailedAnswer:
    return FailedAnswer(
        event, failure.cause, failure.sentence, failure.project, failure.task_id, failure.annotation_id,
        failure.updated_at,
    )  # fmt: skip


def select_shown_alternatives(
    offers: Sequence[Alternative], annotation: Annotation
) -> tuple[Alternative, ...]:
    """The offers that were on the screen: of the version that the annotation names, else the newest.

    Args:
        offers: of every version, newest version first.
    """
    if not offers:
        return ()
    named = [o.suggestion.version for o in offers if o.region_id in annotation.region_ids]
    version = named[0] if named else offers[0].suggestion.version
    return tuple(offer for offer in offers if offer.suggestion.version == version)


def _judge_annotation(
    session: Session, annotation: Annotation, event: WebhookEvent
) -> tuple[Correction, str | None]:
    offers = select_shown_alternatives(find_answer_alternatives(session, [annotation])[0], annotation)
    shown = [to_shown_alternative(offer, event.controls) for offer in offers] if event.controls else []
    return judge_annotation(annotation, shown), offers[0].suggestion.version if offers else None
