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

from ris.core.types import Alternative, Image, Size, Task
from ris.errors import BackendError, NotReady
from ris.labelstudio.region import make_alternatives
from ris.labelstudio.task import SetupRequest, TaskFailure
from ris.referring.ranking import DEFAULT_ALTERNATIVES, make_suggestion_version
from ris.service.worker import STOPPING_MESSAGE, Worker
from ris.store.label_configs import save_label_config
from ris.store.learned_rankings import LearnedRanking, find_ranking_in_use
from ris.store.records import add_alternatives, find_alternatives, save_project
from ris.store.session import Database

log = logging.getLogger(__name__)

_MAX_FETCHERS = 4  # images that are fetched and decoded at the same time
_STOP_POLL_S = 0.5  # how soon a request that waits sees that the server must answer


@dataclass(frozen=True, slots=True)
class SuggestionResult:
    """The answer for one task.

    Attributes:
        offers: best first; empty when there are none, and `reason` then says why.
        size: of the image, (height, width); None when it is not known.
        reason: "" when there are offers.
        cause: the reason's kind, for counting: the name of an error, "late" or "no proposals".
    """

    task_id: int | None
    offers: tuple[Alternative, ...] = ()
    size: Size | None = None
    reason: str = ""
    cause: str = ""


class SuggestionService:
    """Answers for tasks, under the model version in use. Equal requests share one computation.

    Args:
        fetch: gives a task's decoded image, or raises an ImageError.
        worker: owns the networks.
        version: names the networks and methods; what was learned is found by it.
        now: the clock, in UTC.
        alternatives: how many the worker's pipeline gives at most.
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
        alternatives: int = DEFAULT_ALTERNATIVES,
        shuffled_share: float = 0.0,
    ) -> None:
        self.database, self.worker, self.fetch = database, worker, fetch
        self.base, self.now = version, now
        self.alternatives, self.shuffled_share = alternatives, shuffled_share
        self._pool = ThreadPoolExecutor(max_workers=_MAX_FETCHERS, thread_name_prefix="tasks")
        self._interactive_pool = ThreadPoolExecutor(
            max_workers=_MAX_FETCHERS, thread_name_prefix="waited for"
        )
        self._jobs: dict[tuple[Task, str], Future[SuggestionResult]] = {}
        self._lock = Lock()

    @property
    def n_waiting(self) -> int:
        """How many tasks are begun and not answered yet."""
        return len(self._jobs)

    @property
    def version(self) -> str:
        """What suggestions are offered under now: what was learned in another process counts at once."""
        return self._name_version(self._find_ranking())

    def _name_version(self, learned: LearnedRanking | None) -> str:
        return make_suggestion_version(learned.version if learned else self.base, self.alternatives)

    def offers(self, task: Task) -> tuple[Alternative, ...]:
        """What is stored for a task under the version in use, best first; nothing is computed."""
        with self.database.begin() as session:
            return find_alternatives(session, task, self.version) or ()

    def _find_ranking(self) -> LearnedRanking | None:
        with self.database.begin() as session:
            return find_ranking_in_use(session, self.base)

    def save_project(self, setup: SetupRequest) -> None:
        """Remember what /setup told of a project."""
        with self.database.begin() as session:
            save_project(
                session, setup.project, label_config=setup.label_config,
                extra_params=setup.extra_params, now=self.now(),
            )  # fmt: skip
            save_label_config(session, setup.project, setup.label_config, at=self.now())

    def suggest(
        self, entries: Sequence[Task | TaskFailure], *, deadline_s: float, waited_for: bool = False
    ) -> list[SuggestionResult]:
        """One answer an entry, in order, within the deadline.

        A task that is not ready in time is answered empty and goes on in the background: asked again,
        it is there. One task's failure is that task's alone.

        Args:
            waited_for: somebody looks at the screen: these go before what is computed ahead.
        """
        jobs = self.begin(entries, waited_for=waited_for)
        self.wait(jobs, deadline_s=deadline_s)
        return [
            job.result() if job.done() else self.make_late_result(entry, deadline_s)
            for entry, job in zip(entries, jobs, strict=True)
        ]

    def begin(
        self, entries: Sequence[Task | TaskFailure], *, waited_for: bool = False
    ) -> "list[Future[SuggestionResult]]":
        """Begin what is not begun yet; one job an entry, in order. A job never fails: its answer says why."""
        learned = self._find_ranking()
        return [
            self._get_job(entry, learned, waited_for) if isinstance(entry, Task) else _make_failed_job(entry)
            for entry in entries
        ]

    def wait(self, jobs: "Sequence[Future[Any]]", *, deadline_s: float) -> None:
        """Until all are done, the time is over, or the server has stopped for so long that it must answer."""
        until = time.monotonic() + deadline_s
        left: Collection[Future[Any]] = jobs
        while left and not self.worker.is_stopping and (rest_s := until - time.monotonic()) > 0:
            left = wait(left, timeout=min(rest_s, _STOP_POLL_S)).not_done

    def make_late_result(self, entry: Task | TaskFailure, deadline_s: float) -> SuggestionResult:
        """The answer for a task that is not ready."""
        if self.worker.is_stopping:
            reason = f"task {entry.task_id} was not ready: {STOPPING_MESSAGE}"
            return SuggestionResult(entry.task_id, reason=reason, cause="NotReady")
        reason = f"task {entry.task_id} was not ready within {deadline_s:g} s; it goes on, ask again"
        return SuggestionResult(entry.task_id, reason=reason, cause="late")

    def _get_job(
        self, task: Task, learned: LearnedRanking | None, waited_for: bool
    ) -> "Future[SuggestionResult]":
        asked = task, self._name_version(learned)
        with self._lock:
            if asked in self._jobs:
                return self._jobs[asked]
            # In this request's context, so that the log says which request a line belongs to.
            context, pool = copy_context(), self._interactive_pool if waited_for else self._pool
            job = self._jobs[asked] = pool.submit(context.run, self._answer, task, learned, waited_for)
        # Not under the lock: the callback takes it, and a job that is done already calls it here.
        job.add_done_callback(lambda done: self._forget(asked, done))
        return job

    def _forget(self, asked: tuple[Task, str], job: "Future[SuggestionResult]") -> None:
        with self._lock:
            if self._jobs.get(asked) is job:
                del self._jobs[asked]

    def _answer(self, task: Task, learned: LearnedRanking | None, waited_for: bool) -> SuggestionResult:
        """Never raises: what went wrong becomes the reason."""
        if not task.expression:
            reason = f"task {task.task_id} waits for its expression to be typed"
            return SuggestionResult(task.task_id, reason=reason, cause="no expression yet")
        try:
            return self._find_stored(task, learned) or self._compute(task, learned, waited_for)
        except NotReady as error:
            return SuggestionResult(task.task_id, reason=f"task {task.task_id}: {error}", cause="NotReady")
        except BackendError as error:
            log.warning("task %s of project %s: %s", task.task_id, task.project, error)
            return SuggestionResult(task.task_id, reason=str(error), cause=type(error).__name__)
        except Exception:
            log.exception("task %s of project %s failed", task.task_id, task.project)
            reason = f"task {task.task_id} failed inside; see the server's log"
            return SuggestionResult(task.task_id, reason=reason, cause="failed inside")

    def _find_stored(self, task: Task, learned: LearnedRanking | None) -> SuggestionResult | None:
        with self.database.begin() as session:
            offers = find_alternatives(session, task, self._name_version(learned))
        return None if offers is None else _to_result(task, offers)

    def _compute(self, task: Task, learned: LearnedRanking | None, waited_for: bool) -> SuggestionResult:
        started = time.monotonic()
        self.worker.check_open()  # before the image is fetched
        image = self.fetch(task)
        asked = self.worker.refer(image, task.expression, learned, waited_for=waited_for)
        scene, reference = asked.result()
        version = reference.version
        offers = make_alternatives(task, version, reference.suggestions, shuffled_share=self.shuffled_share)
        with self.database.begin() as session:
            add_alternatives(
                session, task, scene.digest, scene.size, offers, version=version,
                opinions=reference.scores, proposals=scene.masks, now=self.now(),
            )  # fmt: skip
        for method, reason in reference.skipped_reasons.items():
            log.info("task %s of project %s: %s had no say: %s", task.task_id, task.project, method, reason)
        log.info(
            "task %s of project %s: %d proposals, %d alternatives, %d ms",
            task.task_id, task.project, len(scene.masks), len(offers), 1000 * (time.monotonic() - started),
        )  # fmt: skip
        return _to_result(task, offers)

    def close(self) -> None:
        """Finish what was begun."""
        for pool in (self._pool, self._interactive_pool):
            pool.shutdown(wait=True, cancel_futures=True)


def _to_result(task: Task, offers: tuple[Alternative, ...]) -> SuggestionResult:
    if not offers:
        reason = f"task {task.task_id}: no mask was proposed for its image"
        return SuggestionResult(task.task_id, reason=reason, cause="no proposals")
    return SuggestionResult(task.task_id, offers, offers[0].suggestion.mask.size)


def _make_failed_job(entry: TaskFailure) -> "Future[SuggestionResult]":
    """A task that could not even be read, as a job that is done."""
    log.warning("%s", entry.reason)
    job: Future[SuggestionResult] = Future()
    job.set_result(SuggestionResult(entry.task_id, reason=entry.reason, cause="TaskError"))
    return job
