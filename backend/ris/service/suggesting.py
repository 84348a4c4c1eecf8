"""Suggestions for tasks: what is stored at once, what can be computed in time, and a reason for the rest."""

import logging
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any

from ris.core.types import Image, Offer, Size, Task
from ris.errors import BackendError, NotReady
from ris.labelstudio.region import offered
from ris.labelstudio.task import Setup, TaskFailure
from ris.service.worker import STOPPING, Worker
from ris.store.label_configs import see_label_config
from ris.store.learned import Learned, in_use
from ris.store.records import add_suggestions, find_suggestions, see_project
from ris.store.session import Database

log = logging.getLogger(__name__)

FETCHERS = 4  # images that are fetched and decoded at the same time
STOP_SEEN_S = 0.5  # how soon a request that waits sees that the server must answer


@dataclass(frozen=True, slots=True)
class Suggested:
    """The answer for one task.

    Attributes:
        offers: best first; empty when there are none, and `reason` then says why.
        size: of the image, (height, width); None when it is not known.
        reason: "" when there are offers.
        cause: the reason's kind, for counting: the name of an error, "late" or "no proposals".
    """

    task_id: int | None
    offers: tuple[Offer, ...] = ()
    size: Size | None = None
    reason: str = ""
    cause: str = ""


class Suggesting:
    """Answers for tasks, under the model version in use. Equal requests share one computation.

    Args:
        fetch: gives a task's decoded image, or raises an ImageError.
        worker: owns the networks.
        version: what the suggestions are stored and offered under while nothing that was learned is used.
        now: the clock, in UTC.
        shuffled_share: of the tasks, that are shown their alternatives in random order.
    """

    def __init__(
        self,
        database: Database,
        worker: Worker,
        fetch: Callable[[Task], Image],
        *,
        version: str,
        now: Callable[[], datetime],
        shuffled_share: float = 0.0,
    ) -> None:
        self.database, self.worker, self.fetch = database, worker, fetch
        self.base, self.now, self.shuffled_share = version, now, shuffled_share
        self._pool = ThreadPoolExecutor(max_workers=FETCHERS, thread_name_prefix="tasks")
        self._front = ThreadPoolExecutor(max_workers=FETCHERS, thread_name_prefix="waited for")
        self._running: dict[tuple[Task, str], Future[Suggested]] = {}
        self._lock = Lock()

    @property
    def waiting(self) -> int:
        """How many tasks are begun and not answered yet."""
        return len(self._running)

    @property
    def version(self) -> str:
        """What suggestions are offered under now: what was learned in another process counts at once."""
        learned = self._learned()
        return learned.version if learned else self.base

    def offers(self, task: Task) -> tuple[Offer, ...]:
        """What is stored for a task under the version in use, best first; nothing is computed."""
        with self.database.begin() as session:
            return find_suggestions(session, task, self.version) or ()

    def _learned(self) -> Learned | None:
        with self.database.begin() as session:
            return in_use(session, self.base)

    def see_project(self, setup: Setup) -> None:
        """Remember what /setup told of a project."""
        with self.database.begin() as session:
            see_project(
                session, setup.project, label_config=setup.label_config,
                extra_params=setup.extra_params, now=self.now(),
            )  # fmt: skip
            see_label_config(session, setup.project, setup.label_config, at=self.now())

    def suggest(
        self, entries: Sequence[Task | TaskFailure], *, deadline_s: float, waited_for: bool = False
    ) -> list[Suggested]:
        """One answer an entry, in order, within the deadline.

        A task that is not ready in time is answered empty and goes on in the background: asked again,
        it is there. One task's failure is that task's alone.

        Args:
            waited_for: somebody looks at the screen: these go before what is computed ahead.
        """
        jobs = self.begin(entries, waited_for=waited_for)
        self.wait(jobs, deadline_s=deadline_s)
        return [
            job.result() if job.done() else self.late(entry, deadline_s)
            for entry, job in zip(entries, jobs, strict=True)
        ]

    def begin(
        self, entries: Sequence[Task | TaskFailure], *, waited_for: bool = False
    ) -> "list[Future[Suggested]]":
        """Begin what is not begun yet; one job an entry, in order. A job never fails: its answer says why."""
        learned = self._learned()
        return [
            self._job(entry, learned, waited_for) if isinstance(entry, Task) else _failed(entry)
            for entry in entries
        ]

    def wait(self, jobs: "Sequence[Future[Any]]", *, deadline_s: float) -> None:
        """Until all are done, the time is over, or the server has stopped for so long that it must answer."""
        until = time.monotonic() + deadline_s
        left: Collection[Future[Any]] = jobs
        while left and not self.worker.is_stopping and (rest_s := until - time.monotonic()) > 0:
            left = wait(left, timeout=min(rest_s, STOP_SEEN_S)).not_done

    def late(self, entry: Task | TaskFailure, deadline_s: float) -> Suggested:
        """The answer for a task that is not ready."""
        if self.worker.is_stopping:
            reason = f"task {entry.task_id} was not ready: {STOPPING}"
            return Suggested(entry.task_id, reason=reason, cause="NotReady")
        reason = f"task {entry.task_id} was not ready within {deadline_s:g} s; it goes on, ask again"
        return Suggested(entry.task_id, reason=reason, cause="late")

    def _job(self, task: Task, learned: Learned | None, waited_for: bool) -> "Future[Suggested]":
        asked = task, learned.version if learned else self.base
        with self._lock:
            if asked in self._running:
                return self._running[asked]
            # In this request's context, so that the log says which request a line belongs to.
            context, pool = copy_context(), self._front if waited_for else self._pool
            job = self._running[asked] = pool.submit(context.run, self._answer, task, learned, waited_for)
        # Not under the lock: the callback takes it, and a job that is done already calls it here.
        job.add_done_callback(lambda done: self._forget(asked, done))
        return job

    def _forget(self, asked: tuple[Task, str], job: "Future[Suggested]") -> None:
        with self._lock:
            if self._running.get(asked) is job:
                del self._running[asked]

    def _answer(self, task: Task, learned: Learned | None, waited_for: bool) -> Suggested:
        """Never raises: what went wrong becomes the reason."""
        if not task.expression:
            reason = f"task {task.task_id} waits for its expression to be typed"
            return Suggested(task.task_id, reason=reason, cause="no expression yet")
        try:
            return self._stored(task, learned) or self._computed(task, learned, waited_for)
        except NotReady as error:
            return Suggested(task.task_id, reason=f"task {task.task_id}: {error}", cause="NotReady")
        except BackendError as error:
            log.warning("task %s of project %s: %s", task.task_id, task.project, error)
            return Suggested(task.task_id, reason=str(error), cause=type(error).__name__)
        except Exception:
            log.exception("task %s of project %s failed", task.task_id, task.project)
            reason = f"task {task.task_id} failed inside; see the server's log"
            return Suggested(task.task_id, reason=reason, cause="failed inside")

    def _stored(self, task: Task, learned: Learned | None) -> Suggested | None:
        with self.database.begin() as session:
            offers = find_suggestions(session, task, learned.version if learned else self.base)
        return None if offers is None else _suggested(task, offers)

    def _computed(self, task: Task, learned: Learned | None, waited_for: bool) -> Suggested:
        started = time.monotonic()
        self.worker.check_open()  # before the image is fetched
        image = self.fetch(task)
        asked = self.worker.refer(image, task.expression, learned, waited_for=waited_for)
        scene, reference = asked.result()
        version = reference.version
        offers = offered(task, version, reference.suggestions, shuffled_share=self.shuffled_share)
        with self.database.begin() as session:
            add_suggestions(
                session, task, scene.digest, scene.size, offers, version=version,
                opinions=reference.opinions, proposals=scene.masks, now=self.now(),
            )  # fmt: skip
        for method, reason in reference.left_out.items():
            log.info("task %s of project %s: %s had no say: %s", task.task_id, task.project, method, reason)
        log.info(
            "task %s of project %s: %d proposals, %d alternatives, %d ms",
            task.task_id, task.project, len(scene.masks), len(offers), 1000 * (time.monotonic() - started),
        )  # fmt: skip
        return _suggested(task, offers)

    def close(self) -> None:
        """Finish what was begun."""
        for pool in (self._pool, self._front):
            pool.shutdown(wait=True, cancel_futures=True)


def _suggested(task: Task, offers: tuple[Offer, ...]) -> Suggested:
    if not offers:
        reason = f"task {task.task_id}: no mask was proposed for its image"
        return Suggested(task.task_id, reason=reason, cause="no proposals")
    return Suggested(task.task_id, offers, offers[0].suggestion.mask.size)


def _failed(entry: TaskFailure) -> "Future[Suggested]":
    """A task that could not even be read, as a job that is done."""
    log.warning("%s", entry.reason)
    job: Future[Suggested] = Future()
    job.set_result(Suggested(entry.task_id, reason=entry.reason, cause="TaskError"))
    return job
