"""The one thread that owns the networks, and the scenes that it has seen."""

import logging
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock

from backend.core.types import Image, Prompts, Proposals
from backend.errors import BackendError, NotReady
from backend.referring.pipeline import Pipeline, Reference
from backend.referring.scene import Scene
from backend.store.learned import Learned

log = logging.getLogger(__name__)


class SceneCache:
    """The scenes used last, bounded by the bytes they hold. One scene larger than that is not kept."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.n_bytes = self.n_hits = self.n_misses = 0
        self._scenes: OrderedDict[str, Scene] = OrderedDict()
        self._lock = Lock()

    def get(self, digest: str) -> Scene | None:
        with self._lock:
            if digest not in self._scenes:
                self.n_misses += 1
                return None
            self.n_hits += 1
            self._scenes.move_to_end(digest)
            return self._scenes[digest]

    def put(self, scene: Scene) -> None:
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


class Worker:
    """Runs the networks, one job at a time, in a thread of its own.

    The pipeline is loaded by the first job, in the background; jobs given meanwhile wait for it.

    Args:
        load: makes the pipeline; called once, in the worker's thread.
        cache: scenes that need not be seen again.
    """

    def __init__(self, load: Callable[[], Pipeline], cache: SceneCache) -> None:
        self.cache = cache
        self._jobs = ThreadPoolExecutor(max_workers=1, thread_name_prefix="networks")
        self._pipeline: Future[Pipeline] = self._jobs.submit(load)
        self._pipeline.add_done_callback(_log_failure)

    def state(self) -> str:
        """ "loading", "ready", or the sentence that says why it never will be."""
        if not self._pipeline.done():
            return "loading"
        error = self._pipeline.exception()
        return "ready" if error is None else str(error)

    @property
    def waiting(self) -> int:
        """How many jobs wait for the one that runs."""
        return self._jobs._work_queue.qsize()

    def refer(
        self, image: Image, expression: str, learned: Learned | None = None
    ) -> "Future[tuple[Scene, Reference]]":
        """See the image, unless it was seen, and rank for the expression.

        The future fails with NotReady when the networks could not be loaded.

        Args:
            learned: what to rank by; None ranks as the preset does.
        """
        return self._jobs.submit(self._refer, image, expression, learned)

    def _refer(self, image: Image, expression: str, learned: Learned | None) -> tuple[Scene, Reference]:
        pipeline, scene = self._seen(image)
        if learned is not None:
            pipeline = pipeline.learned(learned.coefficients, learned.version)
        return scene, pipeline.refer(scene, expression)

    def refine(self, image: Image, prompts: Prompts) -> "Future[tuple[Scene, Proposals]]":
        """See the image, unless it was seen, and make masks of what somebody points at.

        The future fails with NotReady when the networks could not be loaded, or cannot do that.
        """
        return self._jobs.submit(self._refine, image, prompts)

    def _refine(self, image: Image, prompts: Prompts) -> tuple[Scene, Proposals]:
        pipeline, scene = self._seen(image)
        if pipeline.refiner is None:
            raise NotReady("the preset has no network that makes masks of clicks")
        return scene, pipeline.refiner.refine(scene, prompts)

    def _seen(self, image: Image) -> tuple[Pipeline, Scene]:
        try:
            pipeline = self._pipeline.result(timeout=0)  # same thread: loading came before every job
        except BackendError as error:
            raise NotReady(f"the models could not be loaded: {error}") from error
        scene = self.cache.get(image.digest)
        if scene is None:
            scene = pipeline.see(image)
            self.cache.put(scene)
        return pipeline, scene

    def close(self) -> None:
        """Finish the job that runs, drop those that wait."""
        self._jobs.shutdown(wait=True, cancel_futures=True)


def _log_failure(loaded: "Future[Pipeline]") -> None:
    if not loaded.cancelled() and (error := loaded.exception()) is not None:
        log.error("the models could not be loaded: %s", error, exc_info=error)
