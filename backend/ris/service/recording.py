"""Record the decisions of annotators: an event is stored, answered, and processed later."""

import hashlib
import logging
import random
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from threading import Event as Signal
from threading import Lock, Thread

from ris.core.types import Size, Task
from ris.errors import BackendError, StoreError, StoreRefusal
from ris.labelstudio.event import make_failures, read_event
from ris.labelstudio.failure import INTERNAL_CAUSE, Failure
from ris.labelstudio.stored_body import redact_event, to_canonical_json
from ris.redaction.messages import describe_error
from ris.service.judging import judge_event_answer
from ris.service.processed_event import (
    ProcessedEvent,
    make_write_failures,
    write_event,
    write_event_state,
)
from ris.store.claims import claim_new_events, confirm_new_events
from ris.store.current import lock_decisions
from ris.store.inbox import count_new_events
from ris.store.inbox_writer import InboxEvent, InboxWriter
from ris.store.known_images import find_certain_size, find_known_images
from ris.store.records import find_carried_expression
from ris.store.session import Database

log = logging.getLogger(__name__)

_IDLE_INTERVAL_S = 5.0  # how often the inbox is read when no arrival is signalled
_MIN_PAUSE_S, _MAX_PAUSE_S = 1.0, 15.0  # after an error of the database, doubled with each
_QUIET_S, _MAX_QUIET_WAIT_S = 0.1, 10.0  # processing waits for a pause between arrivals
_PATIENCE_S = 30.0  # of a command; a server answers sooner
_PROCESSING_WAIT_S = 10.0  # how long a request waits for the thread that processes events
# Events in one transaction, for which arrivals wait: after a pause, and without one.
_MAX_EVENTS, _MAX_EVENTS_WHEN_BUSY = 10, 5


class RecordingService:
    """The inbox, and the thread that processes it. Call `start` before `record`.

    An event that cannot be read is kept and marked with the reason. One that the database refuses for a
    while stays new and is tried again (`store.inbox.postpone_event`); the others go on. Arrivals take
    precedence over processing: events are parsed without holding the database, and their decisions are
    written many at a time.

    Args:
        database: holds the inbox and the decisions.
        now: the clock, in UTC.
        patience_s: seconds in which `record` answers, whatever the database does.
    """

    def __init__(
        self, database: Database, *, now: Callable[[], datetime], patience_s: float = _PATIENCE_S
    ) -> None:
        self.database, self.now = database, now
        self._writer = InboxWriter(database, now=now, patience_s=patience_s)
        self._arrival_signal, self._closing = Signal(), Signal()
        self._processing_lock = Lock()
        self._thread: Thread | None = None

    def start(self) -> None:
        """Start the two threads: one stores events, one processes them."""
        self._writer.start()
        self._thread = Thread(target=self._run, name="inbox", daemon=True)
        self._thread.start()

    def record(self, body: dict[str, object]) -> bool:
        """Store an event durably; return False when an equal event is stored already.

        Args:
            body: the JSON of the webhook; secrets in it are not stored.

        Raises:
            StoreError: it could not be stored.
        """
        is_new = self._writer.put(_make_inbox_event(body))
        self._arrival_signal.set()
        return is_new

    def record_all(self, bodies: Iterable[dict[str, object]]) -> None:
        """Store many events durably, as `record` does each: they are committed together.

        Raises:
            StoreError: one of them could not be stored; those before are.
        """
        self._writer.put_all(map(_make_inbox_event, bodies))
        self._arrival_signal.set()

    def check_inbox(self) -> None:
        """Check that an event could be stored now.

        Raises:
            StoreError: it could not; the message says why.
        """
        self._writer.check()

    def _run(self) -> None:
        n_errors = 0
        while not self._closing.is_set():
            self._arrival_signal.clear()
            try:
                n_processed = self.process_events(
                    _MAX_EVENTS if self._wait_for_quiet() else _MAX_EVENTS_WHEN_BUSY
                )
            except Exception as error:
                is_bug = not isinstance(error, StoreError)
                log.error("the inbox could not be processed; it is tried again: %s", error, exc_info=is_bug)
                pause_s = min(_MIN_PAUSE_S * 2 ** min(n_errors, 10), _MAX_PAUSE_S)
                n_errors += 1
                self._closing.wait(pause_s * random.uniform(0.5, 1))
                continue
            n_errors = 0
            if not n_processed:
                self._arrival_signal.wait(_IDLE_INTERVAL_S)

    def _wait_for_quiet(self) -> bool:
        """Wait for a pause between arrivals; return False on timeout."""
        until = time.monotonic() + _MAX_QUIET_WAIT_S
        while time.monotonic() - self._writer.last_arrival < _QUIET_S:
            if time.monotonic() > until or self._closing.wait(_QUIET_S):
                return False
        return True

    def process_events(self, limit: int = _MAX_EVENTS) -> int:
        """Process the oldest events that are due and free, at most `limit`, and return their number.

        Several processes can do so at once; each event is processed by one of them.

        Raises:
            StoreError: the database cannot be used, or keeps another thread from processing them; all events
                stay new.
        """
        if not self._processing_lock.acquire(timeout=_PROCESSING_WAIT_S):
            raise StoreError("the database keeps the inbox from being processed; try again later")
        try:
            with self.database.begin() as claims:
                waiting = claim_new_events(claims, limit=limit, now=self.now())
                processed = [self._process_event(number, body) for number, body in waiting]
                try:
                    self._write_events(processed)
                except Exception:
                    # The database may refuse one of them: then the others are written.
                    for one in processed:
                        self._write_one(one)
            return len(waiting)
        finally:
            self._processing_lock.release()

    def process_arrived_events(self) -> None:
        """Process as many events as are new now: this ends, however many arrive meanwhile.

        Those that another server has claimed are left to it.

        Raises:
            StoreError: as `process_events`.
        """
        with self.database.begin() as session:
            n_left = count_new_events(session)
        while n_left > 0 and (n_processed := self.process_events()):
            n_left -= n_processed

    def _process_event(self, number: int, body: dict[str, object]) -> ProcessedEvent:
        """Parse an event and judge its answers. Raises nothing."""
        try:
            event = read_event(body, self.find_image_size)
            with self.database.begin() as session:
                judged = [judge_event_answer(session, annotation, event) for annotation in event.annotations]
            return ProcessedEvent(number, event, judged, event.failures)
        except StoreRefusal as error:
            return ProcessedEvent(number, None, failures=make_failures(body, error))
        except StoreError as error:
            return ProcessedEvent(number, None, obstacle=str(error))
        except BackendError as error:
            return ProcessedEvent(number, None, failures=make_failures(body, error))
        except Exception as error:
            # It must not block the events behind it.
            log.exception("event %d failed with an internal error; it is kept", number)
            failure = BackendError(f"internal error: {type(error).__name__}: {describe_error(error)}")
            return ProcessedEvent(number, None, failures=make_failures(body, failure))

    def _write_events(self, processed: Sequence[ProcessedEvent]) -> None:
        """Write the decisions and states of these events in one transaction."""
        if not processed:
            return
        now = self.now()
        with self._writer.lock, self.database.begin() as session:
            lock_decisions(session)
            still_new = confirm_new_events(session, [one.number for one in processed])
            ours = [one for one in processed if one.number in still_new]
            for one in ours:
                if one.event:
                    write_event(session, one, one.event, now=now)
                write_event_state(session, one, now=now)
        for one in ours:
            if one.obstacle:
                log.warning("event %d is tried again later: %s", one.number, one.obstacle)
            for failure in one.failures:
                log.warning("event %d cannot be read in full; it is kept: %s", one.number, failure.sentence)

    def _write_one(self, one: ProcessedEvent) -> None:
        """Write one event; postpone it if the database cannot now, and mark it as failed if it never can.

        Raises:
            StoreError: nothing can be written; the event stays new.
        """
        try:
            return self._write_events([one])
        except Exception as error:
            if isinstance(error, StoreError) and not isinstance(error, StoreRefusal):
                return self._write_events([ProcessedEvent(one.number, None, obstacle=str(error))])
            log.exception("event %d cannot be recorded; it is kept", one.number)
            failures = make_write_failures(one, error)
        try:
            self._write_events([ProcessedEvent(one.number, None, failures=failures)])
        except (StoreRefusal, ValueError, ArithmeticError):  # a value of its failures is refused too
            failure = Failure(INTERNAL_CAUSE.name, f"event {one.number} has a value that cannot be stored")
            self._write_events([ProcessedEvent(one.number, None, failures=[failure])])

    def find_image_size(self, task: Task) -> Size | None:
        """Return the size of a task's image, (height, width) in pixels; None unless it is certain."""
        with self.database.begin() as session:
            (pictures,) = find_known_images(session, [task])
        return find_certain_size(pictures)

    def find_carried_expression(self, project: str) -> str:
        """Process what has arrived, then return the expression that a project carries over, or ""."""
        self.process_arrived_events()
        with self.database.begin() as session:
            return find_carried_expression(session, project)

    def close(self) -> None:
        """Finish the running transaction, and stop; the other events stay in the database."""
        self._closing.set()
        self._arrival_signal.set()
        self._writer.close()
        if self._thread is not None:
            self._thread.join(timeout=30)


def _make_inbox_event(body: dict[str, object]) -> InboxEvent:
    clean = redact_event(body)
    text = to_canonical_json(clean)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return InboxEvent(digest, str(clean.get("action", "")), text)
