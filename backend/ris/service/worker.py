"""The one thread that owns the networks, who goes next, and the scenes that it has seen."""

import contextlib
import itertools
import logging
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from queue import Empty, PriorityQueue
from threading import Lock, Thread
from typing import Any, ParamSpec, TypeVar

from ris.core.proposals import Prompts, Proposals
from ris.core.types import Image
from ris.errors import BackendError, NotReady
from ris.referring.pipeline import Pipeline, ReferResult
from ris.referring.scene import Scene
from ris.store.learned_rankings import LearnedRanking
from ris.store.scenes import SceneFiles

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")
STOPPING_MESSAGE = "the server is stopping; ask again when it is back"
_PRIORITY_LOADING, _PRIORITY_INTERACTIVE, _PRIORITY_BATCH, _PRIORITY_CLOSING = range(
    4
)  # who goes first: somebody at a screen before a batch


class SceneCache:
    """The scenes used last, bounded by the bytes they hold. One scene larger than that is not kept.

    Args:
        files: keeps more of them, and over restarts; None keeps those in memory alone.
    """

    def __init__(self, max_bytes: int, files: SceneFiles | None = None) -> None:
        self.max_bytes, self.files = max_bytes, files
        self.n_bytes = self.n_hits = self.n_misses = 0
        self._scenes: OrderedDict[str, Scene] = OrderedDict()
        self._lock = Lock()

    def get(self, digest: str) -> Scene | None:
        with self._lock:
            if digest in self._scenes:
                self.n_hits += 1
                self._scenes.move_to_end(digest)
                return self._scenes[digest]
        scene = self.files.get(digest) if self.files else None
        if scene is None:
            self.n_misses += 1
            return None
        self.n_hits += 1
        self._add(scene)
        return scene

    def put(self, scene: Scene) -> None:
        self._add(scene)
        if self.files:
            self.files.put(scene)

    def _add(self, scene: Scene) -> None:
        with self._lock:
            if scene.digest in self._scenes:
                return
            self._scenes[scene.digest] = scene
            self.n_bytes += scene.n_bytes
            while self.n_bytes > self.max_bytes and self._scenes:
                _, dropped = self._scenes.popitem(last=False)
                self.n_bytes -= dropped.n_bytes

    def __len__(self) -> int:
        return len(self._scenes)


class _JobQueue:
    """A thread that does one thing after the other: what is waited for first, else as it arrived."""

    def __init__(self, name: str) -> None:
        self._queue: PriorityQueue[tuple[int, int, Future[Any] | None, Callable[[], Any]]] = PriorityQueue()
        self._numbers, self.is_closed = itertools.count(), False
        self._thread = Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, rank: int, work: Callable[P, T], *given: P.args, **named: P.kwargs) -> "Future[T]":
        self.check_open()
        job: Future[T] = Future()
        self._queue.put((rank, next(self._numbers), job, lambda: work(*given, **named)))
        return job

    def check_open(self) -> None:
        if self.is_closed:
            raise NotReady(STOPPING_MESSAGE)

    def __len__(self) -> int:
        return self._queue.qsize()

    def _run(self) -> None:
        while True:
            _, _, job, work = self._queue.get()
            if job is None:
                return
            if job.set_running_or_notify_cancel():
                _run_job(job, work)

    def reject_jobs(self) -> None:
        """Take no more, and tell those who wait for a job that has not begun."""
        self.is_closed = True
        while not self._queue.empty():
            with contextlib.suppress(Empty):
                _, _, job, _ = self._queue.get_nowait()
                if job is not None and job.set_running_or_notify_cancel():
                    job.set_exception(NotReady(STOPPING_MESSAGE))

    def close(self) -> None:
        """Finish the job that runs, refuse those that wait."""
        self.reject_jobs()
        self._queue.put((_PRIORITY_CLOSING, next(self._numbers), None, lambda: None))
        self._thread.join()


def _run_job(job: "Future[Any]", work: Callable[[], Any]) -> None:
    try:
        job.set_result(work())
    except BaseException as error:  # whatever it is, it belongs to who asked
        job.set_exception(error)


class Worker:
    """Runs the networks, one job at a time, in a thread of its own.

    The pipeline is loaded by the first job, in the background; jobs given meanwhile wait for it. Somebody who
    points at a mask goes before the tasks that Label Studio asks for ahead.

    Args:
        load: makes the pipeline; called once, in the worker's thread.
        cache: scenes that need not be seen again.
    """

    def __init__(self, load: Callable[[], Pipeline], cache: SceneCache) -> None:
        self.cache = cache
        self._jobs = _JobQueue("networks")
        self._pipeline: Future[Pipeline] = self._jobs.submit(_PRIORITY_LOADING, load)
        self._pipeline.add_done_callback(_log_failure)

    def state(self) -> str:
        """ "loading", "ready", or the sentence that says why it never will be."""
        if not self._pipeline.done():
            return "loading"
        error = self._pipeline.exception()
        if isinstance(error, NotReady):
            return "the server was stopped before they were loaded"
        return "ready" if error is None else str(error)

    @property
    def n_waiting(self) -> int:
        """How many jobs wait for the one that runs."""
        return len(self._jobs)

    def refer(
        self,
        image: Image,
        expression: str,
        learned: LearnedRanking | None = None,
        *,
        waited_for: bool = False,
    ) -> "Future[tuple[Scene, ReferResult]]":
        """See the image, unless it was seen, and rank for the expression.

        The future fails with NotReady when the networks could not be loaded.

        Args:
            learned: what to rank by; None ranks as the preset does.
            waited_for: somebody typed these words and looks at the screen.
        """
        return self._jobs.submit(
            _PRIORITY_INTERACTIVE if waited_for else _PRIORITY_BATCH, self._refer, image, expression, learned
        )

    def _refer(
        self, image: Image, expression: str, learned: LearnedRanking | None
    ) -> tuple[Scene, ReferResult]:
        pipeline, scene = self._see(image)
        if learned is not None:
            pipeline = pipeline.replace_ranking(learned.coefficients, learned.version)
        return scene, pipeline.refer(scene, expression)

    def refine(self, image: Image, prompts: Prompts) -> "Future[tuple[Scene, Proposals]]":
        """See the image, unless it was seen, and make masks of what somebody points at.

        The future fails with NotReady when the networks could not be loaded, or cannot do that.
        """
        return self._jobs.submit(_PRIORITY_INTERACTIVE, self._refine, image, prompts)

    def _refine(self, image: Image, prompts: Prompts) -> tuple[Scene, Proposals]:
        pipeline, scene = self._see(image)
        if pipeline.refiner is None:
            raise NotReady("the preset has no network that makes masks of clicks")
        return scene, pipeline.refiner.refine(scene, prompts)

    def _see(self, image: Image) -> tuple[Pipeline, Scene]:
        try:
            pipeline = self._pipeline.result(timeout=0)  # same thread: loading came before every job
        except BackendError as error:
            raise NotReady(f"the models could not be loaded: {error}") from error
        scene = self.cache.get(image.digest)
        if scene is None:
            scene = pipeline.see(image)
            self.cache.put(scene)
        return pipeline, scene

    @property
    def is_stopping(self) -> bool:
        """Whether nothing more is begun: whoever waits must be answered now."""
        return self._jobs.is_closed

    def check_open(self) -> None:
        """Whether a job that came now would be taken.

        Raises:
            NotReady: the server is stopping.
        """
        self._jobs.check_open()

    def reject_jobs(self) -> None:
        """Take no more jobs and fail those that wait with NotReady; the one that runs goes on."""
        self._jobs.reject_jobs()

    def close(self) -> None:
        """Finish the job that runs, refuse those that wait."""
        self._jobs.close()


def _log_failure(loaded: "Future[Pipeline]") -> None:
    error = loaded.exception()
    if error is not None and not isinstance(error, NotReady):
        log.error("the models could not be loaded: %s", error, exc_info=error)
