"""Predictions reach Label Studio at most once a task and version, and are not lost.

Label Studio stores what an answer to /predict holds some time after it was sent, as often as it asked, and
says neither when nor whether. Hence the rules, which nothing else may break:

1. Asked for several tasks, we answer empty and write through its API, which says when it is done. The
   Data Manager reads again what was stored meanwhile.
2. Asked for one task, we answer with the predictions, because the label stream shows only what the answer
   holds. Nobody knows when Label Studio has stored it: the task is held for HOLD_ANSWER.
3. Who writes a task's predictions, in whatever way, holds (project, task, version) in the database first,
   alone among threads and processes, and then looks whether they are there. So does `ris prelabel --push`.
4. What is owed is a row until it was seen in Label Studio: over a lost answer, a failed write and a restart.

What still can double: Label Studio takes longer than HOLD_ANSWER for one task, or one is written that does
not know these rows (another database, an import by hand, a proxy that hides Label Studio's User-Agent).
`ris sync` removes that: `labelstudio/doubles.py`.
"""

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from threading import Event as Signal
from threading import Lock, Thread

from ris.core.types import Task
from ris.errors import BackendError, LabelStudioError, LabelStudioRefusal
from ris.labelstudio.api.pushing import Parcel, PredictionWriter
from ris.labelstudio.config.control import Controls, read_controls
from ris.service.suggesting import SuggestionResult, SuggestionService
from ris.service.writing import WriteOutcome, write_parcels
from ris.store.deliveries import (
    Delivery,
    add_deliveries,
    count_attempts,
    find_due_deliveries,
    find_interrupted_deliveries,
    hold_tasks,
    postpone_delivery,
    remove_deliveries,
)  # fmt: skip
from ris.store.session import Database, Session

log = logging.getLogger(__name__)

ANSWER_HOLD = timedelta(seconds=30)  # Label Studio stores one task's predictions in less
FETCH_RETRY_DELAY = timedelta(seconds=60)  # doubled with each attempt
_MAX_ATTEMPTS = 5
_SCAN_INTERVAL_S, _POLL_INTERVAL_S = 5.0, 0.5
_TASKS_PER_CALL = 50  # tasks that are written in one call


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """What was computed for a task and what became of it; None where there was nothing to write."""

    answer: SuggestionResult
    outcome: WriteOutcome | None = None


class DeliveryService:
    """The outbox and the one thread of this process that writes it into Label Studio.

    Args:
        pushing: our side of Label Studio's API.
        now: the clock, in UTC.
        poll_s: how often a task that somebody else holds is looked at.
    """

    def __init__(
        self,
        database: Database,
        suggesting: SuggestionService,
        pushing: PredictionWriter,
        *,
        now: Callable[[], datetime],
        poll_s: float = _POLL_INTERVAL_S,
    ) -> None:
        self.database, self.suggesting, self.pushing = database, suggesting, pushing
        self.now, self.poll_s = now, poll_s
        self._reachable: set[str] = set()
        self._results: dict[tuple[Task, str], Future[DeliveryResult]] = {}
        self._queue: list[tuple[Parcel, Controls, str, Future[WriteOutcome]]] = []
        self._lock = Lock()
        self._arrival_signal, self._closing = Signal(), Signal()
        self._thread: Thread | None = None

    def start(self) -> None:
        """Begin to write, first what an earlier process still owed."""
        self._thread = Thread(target=self._run, name="deliveries", daemon=True)
        self._thread.start()

    def can_reach(self, project: str) -> bool:
        """Whether this project can be written through the API that our key is for."""
        if project not in self._reachable:
            try:
                if not self.pushing.can_reach(project):
                    return False
            except LabelStudioError as error:
                log.warning("project %s is answered and not written: %s", project, error)
                return False
            self._reachable.add(project)
        return True

    def add_deliveries(self, tasks: Sequence[tuple[Task, str]], version: str) -> None:
        """Remember that Label Studio asked for tasks, each with its kept words or ""."""
        with self.database.begin() as session:
            add_deliveries(session, tasks, version)

    def push_late(
        self, task: Task, words: str, job: "Future[SuggestionResult]", controls: Controls, version: str
    ) -> "Future[DeliveryResult]":
        """Write a task's predictions once they are computed; asked twice, they are written once."""
        key = task, version
        with self._lock:
            if key in self._results:
                return self._results[key]
            brought = self._results[key] = Future()
        brought.add_done_callback(lambda _: self._results.pop(key, None))
        job.add_done_callback(partial(self._on_computed, task, words, controls, version, brought))
        return brought

    def _on_computed(
        self,
        task: Task,
        words: str,
        controls: Controls,
        version: str,
        brought: "Future[DeliveryResult]",
        job: "Future[SuggestionResult]",
    ) -> None:
        if job.cancelled():
            answer = SuggestionResult(task.task_id, reason="the server is stopping", cause="NotReady")
        else:
            answer = job.result()
        if answer.offers:
            stored: Future[WriteOutcome] = Future()
            stored.add_done_callback(lambda done: brought.set_result(DeliveryResult(answer, done.result())))
            with self._lock:
                self._queue.append((Parcel(task, answer.offers, words), controls, version, stored))
            self._arrival_signal.set()
            return
        try:
            self._handle_failure(task, answer, version)
        except BackendError as error:
            log.warning("task %s of project %s: %s", task.task_id, task.project, error)
        brought.set_result(DeliveryResult(answer))

    def _handle_failure(self, task: Task, answer: SuggestionResult, version: str) -> None:
        """Nothing to write: an image may come later, a server that stops goes on after; else it is over."""
        if answer.cause == "NotReady":
            return
        with self.database.begin() as session:
            attempts = count_attempts(session, task, version)
            if answer.cause == "ImageUnreachable" and attempts < _MAX_ATTEMPTS:
                postpone_delivery(session, task, version, until=self.now() + FETCH_RETRY_DELAY * 2**attempts)
            else:
                remove_deliveries(session, [task], version)

    def take(self, parcel: Parcel, controls: Controls, version: str, *, patience_s: float) -> WriteOutcome:
        """Whether the caller is to answer with a task's predictions, once nobody else is writing them."""
        until = time.monotonic() + patience_s
        while True:
            now = self.now()
            with self.database.begin() as session:
                (is_ours,) = hold_tasks(session, [parcel.task], version, now=now, until=now + ANSWER_HOLD)
            try:
                if self.pushing.is_stored(parcel, controls, version):
                    with self.database.begin() as session:
                        remove_deliveries(session, [parcel.task], version)
                    return WriteOutcome.stored
            except LabelStudioRefusal as error:
                # Our key no longer opens this project: it is answered as if there were none.
                self._reachable.discard(parcel.task.project)
                log.warning("task %s is answered without a look: %s", parcel.task.task_id, error)
                return WriteOutcome.answer
            except LabelStudioError as error:
                log.warning("task %s is looked at again later: %s", parcel.task.task_id, error)
                return WriteOutcome.unknown
            if is_ours:
                return WriteOutcome.answer
            rest_s = min(self.poll_s, until - time.monotonic())
            if rest_s <= 0 or self.suggesting.worker.is_stopping or self._closing.wait(rest_s):
                return WriteOutcome.held

    def _run(self) -> None:
        find: Callable[[Session], list[Delivery]] = find_interrupted_deliveries
        while not self._closing.is_set():
            self._arrival_signal.clear()
            try:
                with self.database.begin() as session:
                    owed = find(session)
                find = self._find_due_deliveries
                for delivery in owed:
                    self._resume(delivery)
                self.write_pending()
            except Exception:
                log.exception("what Label Studio asked for could not be written; it is tried again")
            self._arrival_signal.wait(_SCAN_INTERVAL_S)

    def _find_due_deliveries(self, session: Session) -> list[Delivery]:
        return find_due_deliveries(session, now=self.now())

    def _resume(self, delivery: Delivery) -> None:
        """Look again, and compute again what is not stored; under the version that is in use now."""
        task, version = delivery.task, self.suggesting.version
        try:
            controls = read_controls(delivery.label_config)
        except BackendError as error:
            log.warning("task %s of project %s is no longer owed: %s", task.task_id, task.project, error)
            with self.database.begin() as session:
                return remove_deliveries(session, [task], delivery.version)
        if version != delivery.version:
            with self.database.begin() as session:
                add_deliveries(session, [(task, delivery.words)], version)
                remove_deliveries(session, [task], delivery.version)
        if (task, version) not in self._results:
            (job,) = self.suggesting.begin([task])
            self.push_late(task, delivery.words, job, controls, version)
        return None

    def write_pending(self) -> None:
        """Write what is computed, many tasks in one call."""
        with self._lock:
            waiting, self._queue = self._queue, []
        groups: dict[tuple[str, str], list[tuple[Parcel, Controls, str, Future[WriteOutcome]]]] = {}
        for one in waiting:
            groups.setdefault((one[0].task.project, one[2]), []).append(one)
        for (_, version), group in groups.items():
            for start in range(0, len(group), _TASKS_PER_CALL):
                self._write(group[start : start + _TASKS_PER_CALL], version)

    def _write(
        self, group: "Sequence[tuple[Parcel, Controls, str, Future[WriteOutcome]]]", version: str
    ) -> None:
        outcomes: Sequence[WriteOutcome] = [WriteOutcome.unknown] * len(group)
        try:
            parcels, controls = [parcel for parcel, *_ in group], group[-1][1]
            outcomes = write_parcels(
                self.database, self.pushing, parcels, controls, version, now=self.now
            ).outcomes  # fmt: skip
        except Exception:
            log.exception("%d tasks could not be written; they are tried again", len(group))
        if WriteOutcome.unknown in outcomes:
            self._reachable.discard(group[0][0].task.project)  # asked anew before the next answer
        for (*_, stored), outcome in zip(group, outcomes, strict=True):
            stored.set_result(outcome)

    def close(self) -> None:
        """Finish the call that is being made; the rest is in the database."""
        self._closing.set()
        self._arrival_signal.set()
        if self._thread is not None:
            self._thread.join(timeout=30)
