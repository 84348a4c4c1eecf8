"""Ranked masks for tasks: stored ones, those computed within a deadline, and a reason for every other."""

import logging
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from threading import Lock
from typing import Any

from ris.core.types import Alternative, Image, LargeImage, Size, Task
from ris.errors import BackendError, NotReady
from ris.labelstudio.region import make_alternatives
from ris.labelstudio.task import SetupRequest, TaskFailure
from ris.referring.ranking import DEFAULT_ALTERNATIVES, make_suggestion_version
from ris.service.job_queue import STOPPING_MESSAGE
from ris.service.worker import Worker
from ris.store.label_configs import save_label_config
from ris.store.learned_rankings import LearnedRanking, find_ranking_in_use
from ris.store.records import add_alternatives, find_alternatives, save_project
from ris.store.session import Database

log = logging.getLogger(__name__)

MAX_FETCHERS = 4  # images fetched and decoded at the same time
ImageLoad = Callable[[], Image | LargeImage]
ImageLoader = Callable[[Task], Image | LargeImage]
"""Returns a task's decoded image, or one that must wait for its turn; or raises an ImageError."""
_STOP_POLL_S = 0.5  # interval at which a waiting request looks whether the server is stopping


@dataclass(frozen=True, slots=True)
class SuggestionResult:
    """The result for one task.

    Attributes:
        alternatives: best first; empty when there are none, and `reason` then says why.
        size: of the image, (height, width) in pixels; None when it is not known.
        reason: "" when there are alternatives.
        cause: the kind of the reason, for counting: the name of an error, "late" or "no proposals".
    """

    task_id: int | None
    alternatives: tuple[Alternative, ...] = ()
    size: Size | None = None
    reason: str = ""
    cause: str = ""


_Result = SuggestionResult | Future[Any]  # a future of `_Result`: the image is large and has its turn later


class SuggestionService:
    """Computes and stores alternatives under the version in use. Equal requests share one computation.

    Args:
        fetch: returns a task's decoded image, or one that waits, or raises an ImageError.
        worker: runs the networks.
        version: names the networks and methods; a learned ranking is found by it.
        now: the clock, in UTC.
        alternatives: the most that the worker's pipeline returns.
        shuffled_share: fraction of tasks whose alternatives are shown shuffled, to measure position bias.
    """

    def __init__(
        self,
        database: Database,
        worker: Worker,
        fetch: ImageLoader,
        *,
        version: str,
        now: Callable[[], datetime],
        alternatives: int = DEFAULT_ALTERNATIVES,
        shuffled_share: float = 0.0,
    ) -> None:
        self.database, self.worker, self.fetch = database, worker, fetch
        self.base_version, self.now = version, now
        self.alternatives, self.shuffled_share = alternatives, shuffled_share
        self._pool = ThreadPoolExecutor(max_workers=MAX_FETCHERS, thread_name_prefix="tasks")
        self._interactive_pool = ThreadPoolExecutor(
            max_workers=MAX_FETCHERS, thread_name_prefix="interactive"
        )
        # Large images have threads of their own: they never occupy those of the others.
        self._large_pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="large")
        self._large_interactive_pool = ThreadPoolExecutor(
            max_workers=1, thread_name_prefix="large-interactive"
        )
        self._jobs: dict[tuple[Task, str], Future[SuggestionResult]] = {}
        self._lock = Lock()

    @property
    def n_waiting(self) -> int:
        """The number of tasks in progress."""
        return len(self._jobs)

    @property
    def version(self) -> str:
        """The version in use now, read from the database: another process may have changed it."""
        return self._make_version(self._find_ranking())

    def _make_version(self, learned: LearnedRanking | None) -> str:
        return make_suggestion_version(learned.version if learned else self.base_version, self.alternatives)

    def find_alternatives(self, task: Task) -> tuple[Alternative, ...]:
        """Return the alternatives stored for a task under the version in use, best first."""
        with self.database.begin() as session:
            return find_alternatives(session, task, self.version) or ()

    def _find_ranking(self) -> LearnedRanking | None:
        with self.database.begin() as session:
            return find_ranking_in_use(session, self.base_version)

    def save_project(self, setup: SetupRequest) -> None:
        """Store the label config and the parameters of a /setup request."""
        with self.database.begin() as session:
            save_project(
                session, setup.project, label_config=setup.label_config,
                extra_params=setup.extra_params, now=self.now(),
            )  # fmt: skip
            save_label_config(session, setup.project, setup.label_config, at=self.now())

    def suggest(
        self, entries: Sequence[Task | TaskFailure], *, deadline_s: float, interactive: bool = False
    ) -> list[SuggestionResult]:
        """Return one result for each entry, in order, within the deadline.

        A task that is not ready in time has an empty result; its computation continues in the background, and
        a later request finds it stored. The failure of one task does not affect the others.

        Args:
            entries: tasks, and tasks that could not be read.
            deadline_s: seconds for all entries together.
            interactive: a person waits at the screen, so these go before batch requests.
        """
        jobs = self.begin(entries, interactive=interactive)
        self.wait(jobs, deadline_s=deadline_s)
        return [
            job.result() if job.done() else self.make_late_result(entry, deadline_s)
            for entry, job in zip(entries, jobs, strict=True)
        ]

    def begin(
        self, entries: Sequence[Task | TaskFailure], *, interactive: bool = False
    ) -> "list[Future[SuggestionResult]]":
        """Start one job for each entry, in order, unless an equal job runs already.

        A job never fails: its result has the reason.
        """
        learned = self._find_ranking()
        return [
            self._get_job(entry, learned, interactive) if isinstance(entry, Task) else _make_failed_job(entry)
            for entry in entries
        ]

    def fetch_soon(self, fetch: ImageLoader, task: Task) -> "Future[Image | LargeImage]":
        """Fetch the image of a task for which a person waits, in a thread of this service.

        Raises:
            NotReady: the server is stopping.
        """
        self.worker.check_open()
        return self._interactive_pool.submit(copy_context().run, fetch, task)

    def wait(self, jobs: "Sequence[Future[Any]]", *, deadline_s: float) -> None:
        """Wait until all jobs are done, the deadline has passed or the server is stopping."""
        until = time.monotonic() + deadline_s
        left: Collection[Future[Any]] = jobs
        while left and not self.worker.is_stopping and (rest_s := until - time.monotonic()) > 0:
            left = wait(left, timeout=min(rest_s, _STOP_POLL_S)).not_done

    def make_late_result(self, entry: Task | TaskFailure, deadline_s: float) -> SuggestionResult:
        """Return the empty result of a task that is not ready."""
        if self.worker.is_stopping:
            reason = f"task {entry.task_id} was not ready: {STOPPING_MESSAGE}"
            return SuggestionResult(entry.task_id, reason=reason, cause="NotReady")
        reason = f"task {entry.task_id} was not ready within {deadline_s:g} s; ask again later"
        return SuggestionResult(entry.task_id, reason=reason, cause="late")

    def _get_job(
        self, task: Task, learned: LearnedRanking | None, interactive: bool
    ) -> "Future[SuggestionResult]":
        key = task, self._make_version(learned)
        with self._lock:
            if key in self._jobs:
                return self._jobs[key]
            # In the context of this request: its id is in the job's log lines.
            context, pool = copy_context(), self._interactive_pool if interactive else self._pool
            load = partial(self.fetch, task)
            first = pool.submit(context.run, self._make_result, task, load, learned, interactive)
            job = self._jobs[key] = Future()
        # Outside the lock: the callbacks take it, and run here at once if the job is done.
        first.add_done_callback(lambda done: _forward_result(done, job))
        job.add_done_callback(lambda done: self._forget(key, done))
        return job

    def _forget(self, key: tuple[Task, str], job: "Future[SuggestionResult]") -> None:
        with self._lock:
            if self._jobs.get(key) is job:
                del self._jobs[key]

    def _make_result(
        self, task: Task, load: ImageLoad, learned: LearnedRanking | None, interactive: bool
    ) -> _Result:
        """Return the result of one task. Never raises: an error becomes the reason."""
        if not task.expression:
            reason = f"task {task.task_id} has no expression yet; type one"
            return SuggestionResult(task.task_id, reason=reason, cause="no expression yet")
        try:
            return self._find_stored(task, learned) or self._compute(task, load, learned, interactive)
        except NotReady as error:
            return SuggestionResult(task.task_id, reason=f"task {task.task_id}: {error}", cause="NotReady")
        except BackendError as error:
            log.warning("task %s of project %s: %s", task.task_id, task.project, error)
            return SuggestionResult(task.task_id, reason=str(error), cause=type(error).__name__)
        except Exception:
            log.exception("task %s of project %s failed", task.task_id, task.project)
            reason = f"task {task.task_id} failed with an internal error; see the server's log"
            return SuggestionResult(task.task_id, reason=reason, cause="failed inside")

    def _find_stored(self, task: Task, learned: LearnedRanking | None) -> SuggestionResult | None:
        with self.database.begin() as session:
            stored = find_alternatives(session, task, self._make_version(learned))
        return None if stored is None else _to_result(task, stored)

    def _compute(
        self, task: Task, load: ImageLoad, learned: LearnedRanking | None, interactive: bool
    ) -> _Result:
        started = time.monotonic()
        self.worker.check_open()  # no image is fetched in vain
        image = load()
        if isinstance(image, LargeImage):
            pool = self._large_interactive_pool if interactive else self._large_pool
            return pool.submit(copy_context().run, self._make_result, task, image.load, learned, interactive)
        job = self.worker.refer(image, task.expression, learned, interactive=interactive)
        scene, reference = job.result()
        version = reference.version
        alternatives = make_alternatives(
            task, version, reference.suggestions, shuffled_share=self.shuffled_share
        )
        with self.database.begin() as session:
            add_alternatives(
                session, task, scene.digest, scene.size, alternatives, version=version,
                method_scores=reference.scores, proposals=scene.masks, late=reference.late, now=self.now(),
            )  # fmt: skip
        for method, reason in reference.skipped_reasons.items():
            log.debug("task %s of project %s: %s: not used (%s)", task.task_id, task.project, method, reason)
        log.info(
            "task %s of project %s: %d proposals, %d alternatives, %d ms",
            task.task_id, task.project, len(scene.masks) + len(reference.late), len(alternatives),
            1000 * (time.monotonic() - started),
        )  # fmt: skip
        return _to_result(task, alternatives)

    def load_large_soon(self, image: LargeImage) -> "Future[Image]":
        """Load a large image for a person who waits, in its turn.

        Raises:
            NotReady: the server is stopping.
        """
        self.worker.check_open()
        return self._large_interactive_pool.submit(image.load)

    def close(self) -> None:
        """Finish the running jobs and cancel the others."""
        small, large = (self._pool, self._interactive_pool), (self._large_pool, self._large_interactive_pool)
        for pool in (*small, *large):  # in this order: jobs go from the first to the last
            pool.shutdown(wait=True, cancel_futures=True)


def _forward_result(done: "Future[_Result]", job: "Future[SuggestionResult]") -> None:
    """Finish a job with what its part in a pool gave, or with the result of the part that follows."""
    if done.cancelled():
        job.cancel()
        job.set_running_or_notify_cancel()
    elif isinstance(result := done.result(), Future):
        result.add_done_callback(lambda next_done: _forward_result(next_done, job))
    else:
        job.set_result(result)


def _to_result(task: Task, alternatives: tuple[Alternative, ...]) -> SuggestionResult:
    if not alternatives:
        reason = f"task {task.task_id}: no mask was proposed for its image"
        return SuggestionResult(task.task_id, reason=reason, cause="no proposals")
    return SuggestionResult(task.task_id, alternatives, alternatives[0].suggestion.mask.size)


def _make_failed_job(entry: TaskFailure) -> "Future[SuggestionResult]":
    """Return a finished job for a task that could not be read."""
    log.warning("%s", entry.reason)
    job: Future[SuggestionResult] = Future()
    job.set_result(SuggestionResult(entry.task_id, reason=entry.reason, cause="TaskError"))
    return job
