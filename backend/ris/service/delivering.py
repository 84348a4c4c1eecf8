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
from ris.labelstudio.api.pushing import Parcel, Pushing
from ris.labelstudio.config.control import Controls, read_controls
from ris.service.suggesting import Suggested, Suggesting
from ris.service.writing import Outcome, write
from ris.store.deliveries import (
    Delivery,
    find_begun,
    find_owed,
    hold,
    n_attempts,
    owe,
    postpone,
    settle,
)  # fmt: skip
from ris.store.session import Database, Session

log = logging.getLogger(__name__)

HOLD_ANSWER = timedelta(seconds=30)  # Label Studio stores one task's predictions in less
FETCH_AGAIN = timedelta(seconds=60)  # doubled with each attempt
MOST_ATTEMPTS = 5
LOOK_EVERY_S, POLL_S = 5.0, 0.5
AT_ONCE = 50  # tasks that are written in one call


@dataclass(frozen=True, slots=True)
class Brought:
    """What was computed for a task and what became of it; None where there was nothing to write."""

    answer: Suggested
    outcome: Outcome | None = None


class Delivering:
    """The outbox and the one thread of this process that writes it into Label Studio.

    Args:
        pushing: our side of Label Studio's API.
        now: the clock, in UTC.
        poll_s: how often a task that somebody else holds is looked at.
    """

    def __init__(
        self,
        database: Database,
        suggesting: Suggesting,
        pushing: Pushing,
        *,
        now: Callable[[], datetime],
        poll_s: float = POLL_S,
    ) -> None:
        self.database, self.suggesting, self.pushing = database, suggesting, pushing
        self.now, self.poll_s = now, poll_s
        self._reached: set[str] = set()
        self._brought: dict[tuple[Task, str], Future[Brought]] = {}
        self._queue: list[tuple[Parcel, Controls, str, Future[Outcome]]] = []
        self._lock = Lock()
        self._came, self._closing = Signal(), Signal()
        self._thread: Thread | None = None

    def start(self) -> None:
        """Begin to write, first what an earlier process still owed."""
        self._thread = Thread(target=self._work, name="deliveries", daemon=True)
        self._thread.start()

    def reaches(self, project: str) -> bool:
        """Whether this project can be written through the API that our key is for."""
        if project not in self._reached:
            try:
                if not self.pushing.reaches(project):
                    return False
            except LabelStudioError as error:
                log.warning("project %s is answered and not written: %s", project, error)
                return False
            self._reached.add(project)
        return True

    def owe(self, tasks: Sequence[tuple[Task, str]], version: str) -> None:
        """Remember that Label Studio asked for tasks, each with its kept words or ""."""
        with self.database.begin() as session:
            owe(session, tasks, version)

    def bring(
        self, task: Task, words: str, job: "Future[Suggested]", controls: Controls, version: str
    ) -> "Future[Brought]":
        """Write a task's predictions once they are computed; asked twice, they are written once."""
        key = task, version
        with self._lock:
            if key in self._brought:
                return self._brought[key]
            brought = self._brought[key] = Future()
        brought.add_done_callback(lambda _: self._brought.pop(key, None))
        job.add_done_callback(partial(self._on_computed, task, words, controls, version, brought))
        return brought

    def _on_computed(
        self,
        task: Task,
        words: str,
        controls: Controls,
        version: str,
        brought: "Future[Brought]",
        job: "Future[Suggested]",
    ) -> None:
        if job.cancelled():
            answer = Suggested(task.task_id, reason="the server is stopping", cause="NotReady")
        else:
            answer = job.result()
        if answer.offers:
            stored: Future[Outcome] = Future()
            stored.add_done_callback(lambda done: brought.set_result(Brought(answer, done.result())))
            with self._lock:
                self._queue.append((Parcel(task, answer.offers, words), controls, version, stored))
            self._came.set()
            return
        try:
            self._fail(task, answer, version)
        except BackendError as error:
            log.warning("task %s of project %s: %s", task.task_id, task.project, error)
        brought.set_result(Brought(answer))

    def _fail(self, task: Task, answer: Suggested, version: str) -> None:
        """Nothing to write: an image may come later, a server that stops goes on after; else it is over."""
        if answer.cause == "NotReady":
            return
        with self.database.begin() as session:
            attempts = n_attempts(session, task, version)
            if answer.cause == "ImageUnreachable" and attempts < MOST_ATTEMPTS:
                postpone(session, task, version, until=self.now() + FETCH_AGAIN * 2**attempts)
            else:
                settle(session, [task], version)

    def take(self, parcel: Parcel, controls: Controls, version: str, *, patience_s: float) -> Outcome:
        """Whether the caller is to answer with a task's predictions, once nobody else is writing them."""
        until = time.monotonic() + patience_s
        while True:
            now = self.now()
            with self.database.begin() as session:
                (is_ours,) = hold(session, [parcel.task], version, now=now, until=now + HOLD_ANSWER)
            try:
                if self.pushing.is_there(parcel, controls, version):
                    with self.database.begin() as session:
                        settle(session, [parcel.task], version)
                    return Outcome.stored
            except LabelStudioRefusal as error:
                # Our key no longer opens this project: it is answered as if there were none.
                self._reached.discard(parcel.task.project)
                log.warning("task %s is answered without a look: %s", parcel.task.task_id, error)
                return Outcome.answer
            except LabelStudioError as error:
                log.warning("task %s is looked at again later: %s", parcel.task.task_id, error)
                return Outcome.unknown
            if is_ours:
                return Outcome.answer
            rest_s = min(self.poll_s, until - time.monotonic())
            if rest_s <= 0 or self.suggesting.worker.is_stopping or self._closing.wait(rest_s):
                return Outcome.held

    def _work(self) -> None:
        find: Callable[[Session], list[Delivery]] = find_begun
        while not self._closing.is_set():
            self._came.clear()
            try:
                with self.database.begin() as session:
                    owed = find(session)
                find = self._find_owed
                for delivery in owed:
                    self._resume(delivery)
                self.write_waiting()
            except Exception:
                log.exception("what Label Studio asked for could not be written; it is tried again")
            self._came.wait(LOOK_EVERY_S)

    def _find_owed(self, session: Session) -> list[Delivery]:
        return find_owed(session, now=self.now())

    def _resume(self, delivery: Delivery) -> None:
        """Look again, and compute again what is not stored; under the version that is in use now."""
        task, version = delivery.task, self.suggesting.version
        try:
            controls = read_controls(delivery.label_config)
        except BackendError as error:
            log.warning("task %s of project %s is no longer owed: %s", task.task_id, task.project, error)
            with self.database.begin() as session:
                return settle(session, [task], delivery.version)
        if version != delivery.version:
            with self.database.begin() as session:
                owe(session, [(task, delivery.words)], version)
                settle(session, [task], delivery.version)
        if (task, version) not in self._brought:
            (job,) = self.suggesting.begin([task])
            self.bring(task, delivery.words, job, controls, version)
        return None

    def write_waiting(self) -> None:
        """Write what is computed, many tasks in one call."""
        with self._lock:
            waiting, self._queue = self._queue, []
        groups: dict[tuple[str, str], list[tuple[Parcel, Controls, str, Future[Outcome]]]] = {}
        for one in waiting:
            groups.setdefault((one[0].task.project, one[2]), []).append(one)
        for (_, version), group in groups.items():
            for start in range(0, len(group), AT_ONCE):
                self._write(group[start : start + AT_ONCE], version)

    def _write(self, group: "Sequence[tuple[Parcel, Controls, str, Future[Outcome]]]", version: str) -> None:
        outcomes: Sequence[Outcome] = [Outcome.unknown] * len(group)
        try:
            parcels, controls = [parcel for parcel, *_ in group], group[-1][1]
            outcomes = write(
                self.database, self.pushing, parcels, controls, version, now=self.now
            ).outcomes  # fmt: skip
        except Exception:
            log.exception("%d tasks could not be written; they are tried again", len(group))
        if Outcome.unknown in outcomes:
            self._reached.discard(group[0][0].task.project)  # asked anew before the next answer
        for (*_, stored), outcome in zip(group, outcomes, strict=True):
            stored.set_result(outcome)

    def close(self) -> None:
        """Finish the call that is being made; the rest is in the database."""
        self._closing.set()
        self._came.set()
        if self._thread is not None:
            self._thread.join(timeout=30)
