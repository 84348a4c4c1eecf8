"""Write predictions into Label Studio: at most once for each task and version, and without loss.

Label Studio stores the predictions of an answer to /predict some time after the answer, once for each
request, and confirms nothing. Hence these rules, which every writer follows:

1. A request for several tasks is answered empty, and the predictions are written through the API, which
   confirms them. The Data Manager then reads them from Label Studio's database.
2. A request for one task is answered with the predictions, because the label stream shows only the answer.
   Label Studio does not say when it has stored them: the task is held for ANSWER_HOLD.
3. Every writer first holds (project, task, version) in the database, alone among threads and processes, and
   then looks whether the predictions are stored. `ris prelabel --push` does so too.
4. A delivery is a row until its predictions were seen in Label Studio. It survives a lost answer, a failed
   write and a restart.

Predictions can still be stored twice when Label Studio takes longer than ANSWER_HOLD for one task, or when a
writer does not use these rows: another database, an import by hand, a proxy that hides Label Studio's
User-Agent. `ris sync` removes such duplicates (`labelstudio/api/duplicates.py`).
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
from ris.errors import BackendError, LabelStudioError, LabelStudioRefusal, StoreError
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

ANSWER_HOLD = timedelta(seconds=30)  # Label Studio stores the predictions of one task in less time
FETCH_RETRY_DELAY = timedelta(seconds=60)  # doubled with each attempt
_MAX_ATTEMPTS = 5
_SCAN_INTERVAL_S, _POLL_INTERVAL_S = 5.0, 0.5
_TASKS_PER_CALL = 50  # tasks written in one call


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """The result for a task, and the outcome of its writing; None where there was nothing to write."""

    result: SuggestionResult
    outcome: WriteOutcome | None = None


class DeliveryService:
    """The outbox, and the one thread of this process that writes it into Label Studio.

    Args:
        database: holds the outbox.
        suggesting: computes the alternatives.
        pushing: writes through Label Studio's API.
        now: the clock, in UTC.
        poll_s: interval at which a task held by another writer is looked at, in seconds.
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
        self._has_interrupted = True  # deliveries may be in the database that nobody computes

    def start(self) -> None:
        """Start the thread; it resumes the deliveries of an earlier process first."""
        self._thread = Thread(target=self._run, name="deliveries", daemon=True)
        self._thread.start()

    def can_reach(self, project: str) -> bool:
        """Return whether our API key can write to this project."""
        if project not in self._reachable:
            try:
                if not self.pushing.can_reach(project):
                    return False
            except LabelStudioError as error:
                log.warning("project %s: predictions are not written through the API: %s", project, error)
                return False
            self._reachable.add(project)
        return True

    def add_deliveries(self, tasks: Sequence[tuple[Task, str]], version: str) -> None:
        """Store that Label Studio requested these tasks, each with its carried expression or ""."""
        with self.database.begin() as session:
            add_deliveries(session, tasks, version)

    def push_late(
        self, task: Task, carried: str, job: "Future[SuggestionResult]", controls: Controls, version: str
    ) -> "Future[DeliveryResult]":
        """Write a task's predictions when they are computed. Equal calls share one delivery.

        Args:
            task: the task.
            carried: its carried expression, written with the predictions, or "".
            job: computes its alternatives.
            controls: of the project's label config.
            version: of the predictions.
        """
        key = task, version
        with self._lock:
            if key in self._results:
                return self._results[key]
            delivery = self._results[key] = Future()
        delivery.add_done_callback(lambda _: self._results.pop(key, None))
        job.add_done_callback(partial(self._on_computed, task, carried, controls, version, delivery))
        return delivery

    def _on_computed(
        self,
        task: Task,
        carried: str,
        controls: Controls,
        version: str,
        delivery: "Future[DeliveryResult]",
        job: "Future[SuggestionResult]",
    ) -> None:
        if job.cancelled():
            result = SuggestionResult(task.task_id, reason="the server is stopping", cause="NotReady")
        else:
            result = job.result()
        if result.alternatives:
            written: Future[WriteOutcome] = Future()
            written.add_done_callback(lambda done: delivery.set_result(DeliveryResult(result, done.result())))
            with self._lock:
                self._queue.append((Parcel(task, result.alternatives, carried), controls, version, written))
            self._arrival_signal.set()
            return
        try:
            self._handle_failure(task, result, version)
        except BackendError as error:
            self._has_interrupted = True
            log.warning("task %s of project %s: %s", task.task_id, task.project, error)
        delivery.set_result(DeliveryResult(result))

    def _handle_failure(self, task: Task, result: SuggestionResult, version: str) -> None:
        """Postpone the delivery when its image could not be fetched, keep it on a stop, else remove it.

        Raises:
            StoreError: the database cannot be used, or could not when the task was computed; it stays owed.
        """
        if result.cause == "NotReady":
            return
        if result.cause == StoreError.__name__:
            raise StoreError(f"it is computed again: {result.reason}")
        with self.database.begin() as session:
            attempts = count_attempts(session, task, version)
            if result.cause == "ImageUnreachable" and attempts < _MAX_ATTEMPTS:
                postpone_delivery(session, task, version, until=self.now() + FETCH_RETRY_DELAY * 2**attempts)
            else:
                remove_deliveries(session, [task], version)

    def take(self, parcel: Parcel, controls: Controls, version: str, *, patience_s: float) -> WriteOutcome:
        """Hold a task for the caller, waiting while another writer holds it, and say what to do with it.

        Args:
            parcel: the task and its alternatives.
            controls: of the project's label config.
            version: of the predictions.
            patience_s: seconds to wait for another writer.

        Returns:
            `answer` when the caller must answer with the predictions; `stored` when they are in Label Studio;
            `held` when another writer still holds the task; `unknown` when Label Studio cannot be asked.
        """
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
                # Our key cannot read this project any more: answer as without a key.
                self._reachable.discard(parcel.task.project)
                log.warning("task %s is not looked up in Label Studio: %s", parcel.task.task_id, error)
                return WriteOutcome.answer
            except LabelStudioError as error:
                log.warning("task %s is looked up again later: %s", parcel.task.task_id, error)
                return WriteOutcome.unknown
            if is_ours:
                return WriteOutcome.answer
            rest_s = min(self.poll_s, until - time.monotonic())
            if rest_s <= 0 or self.suggesting.worker.is_stopping or self._closing.wait(rest_s):
                return WriteOutcome.held

    def _run(self) -> None:
        while not self._closing.is_set():
            self._arrival_signal.clear()
            try:
                for delivery in self._find_open_deliveries():
                    self._resume(delivery)
                self.write_pending()
            except Exception:
                self._has_interrupted = True
                log.exception("the outbox could not be written into Label Studio; it is tried again")
            self._arrival_signal.wait(_SCAN_INTERVAL_S)

    def _find_open_deliveries(self) -> list[Delivery]:
        has_interrupted, self._has_interrupted = self._has_interrupted, False
        with self.database.begin() as session:
            return (
                find_interrupted_deliveries(session)
                if has_interrupted
                else self._find_due_deliveries(session)
            )

    def _find_due_deliveries(self, session: Session) -> list[Delivery]:
        return find_due_deliveries(session, now=self.now())

    def _resume(self, delivery: Delivery) -> None:
        """Compute a delivery again, under the version in use now, and write it."""
        task, version = delivery.task, self.suggesting.version
        try:
            controls = read_controls(delivery.label_config)
        except BackendError as error:
            log.warning("delivery of task %s, project %s, is removed: %s", task.task_id, task.project, error)
            with self.database.begin() as session:
                return remove_deliveries(session, [task], delivery.version)
        if version != delivery.version:
            with self.database.begin() as session:
                add_deliveries(session, [(task, delivery.carried_expression)], version)
                remove_deliveries(session, [task], delivery.version)
        if (task, version) not in self._results:
            (job,) = self.suggesting.begin([task])
            self.push_late(task, delivery.carried_expression, job, controls, version)
        return None

    def write_pending(self) -> None:
        """Write the computed predictions, many tasks in one call."""
        with self._lock:
            waiting, self._queue = self._queue, []
        groups: dict[tuple[str, str], list[tuple[Parcel, Controls, str, Future[WriteOutcome]]]] = {}
        for item in waiting:
            groups.setdefault((item[0].task.project, item[2]), []).append(item)
        for (_, version), group in groups.items():
            for start in range(0, len(group), _TASKS_PER_CALL):
                self._write_group(group[start : start + _TASKS_PER_CALL], version)

    def _write_group(
        self, group: "Sequence[tuple[Parcel, Controls, str, Future[WriteOutcome]]]", version: str
    ) -> None:
        outcomes: Sequence[WriteOutcome] = [WriteOutcome.unknown] * len(group)
        try:
            parcels, controls = [parcel for parcel, *_ in group], group[-1][1]
            result = write_parcels(self.database, self.pushing, parcels, controls, version, now=self.now)
            outcomes = result.outcomes
        except Exception:
            log.exception("%d tasks could not be written; they are tried again", len(group))
        if WriteOutcome.unknown in outcomes:
            self._reachable.discard(group[0][0].task.project)  # can_reach asks again
        for (*_, written), outcome in zip(group, outcomes, strict=True):
            written.set_result(outcome)

    def close(self) -> None:
        """Finish the running call, and stop; the other deliveries stay in the database."""
        self._closing.set()
        self._arrival_signal.set()
        if self._thread is not None:
            self._thread.join(timeout=30)
