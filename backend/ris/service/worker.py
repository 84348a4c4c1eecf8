"""The thread that runs the networks, and their state."""

import logging
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from enum import StrEnum

from ris.core.proposals import Prompts, Proposals
from ris.core.types import Image
from ris.errors import BackendError, NotReady
from ris.redaction.messages import describe_error
from ris.referring.pipeline import Pipeline, ReferResult
from ris.referring.scene import Scene
from ris.service.job_queue import JobQueue, Priority
from ris.service.scene_cache import SceneCache
from ris.store.learned_rankings import LearnedRanking

log = logging.getLogger(__name__)


class ModelStatus(StrEnum):
    """Whether the networks can be used."""

    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ModelState:
    """The status of the networks.

    Attributes:
        reason: why loading failed; "" for every other status.
    """

    status: ModelStatus
    reason: str = ""

    @property
    def is_ready(self) -> bool:
        """Whether the networks are loaded."""
        return self.status is ModelStatus.READY

    @property
    def is_failed(self) -> bool:
        """Whether the networks will not become ready in this process."""
        return self.status is ModelStatus.FAILED

    def __str__(self) -> str:
        """Return the status, or the reason of a failure."""
        return self.reason or self.status.value


class Worker:
    """Runs the networks, one job at a time, in a thread of its own. Call `start` once.

    The first job loads the pipeline in the background; jobs submitted meanwhile wait for it. Interactive jobs
    run before the tasks that Label Studio requests ahead of time.

    Args:
        load: returns the pipeline; called once, in the worker's thread.
        cache: scenes that need not be computed again.
    """

    def __init__(self, load: Callable[[], Pipeline], cache: SceneCache) -> None:
        self.cache = cache
        self._jobs = JobQueue("networks")
        self._pipeline: Future[Pipeline] = self._jobs.submit(Priority.LOADING, load)
        self._pipeline.add_done_callback(_log_failure)

    def start(self) -> None:
        """Start the thread: it loads the networks first."""
        self._jobs.start()

    def get_state(self) -> ModelState:
        """Return whether the networks are loading, ready or failed, and why they failed."""
        if not self._pipeline.done():
            return ModelState(ModelStatus.LOADING)
        error = self._pipeline.exception()
        if error is None:
            return ModelState(ModelStatus.READY)
        if isinstance(error, NotReady):
            return ModelState(ModelStatus.FAILED, "the server was stopped before they were loaded")
        reason = str(error) if isinstance(error, BackendError) else describe_error(error)
        return ModelState(ModelStatus.FAILED, reason)

    @property
    def n_waiting(self) -> int:
        """The number of jobs that wait for the running one."""
        return len(self._jobs)

    def refer(
        self,
        image: Image,
        expression: str,
        learned: LearnedRanking | None = None,
        *,
        interactive: bool = False,
    ) -> "Future[tuple[Scene, ReferResult]]":
        """Compute the image's scene, unless it is cached, and rank its masks for the expression.

        The future fails with NotReady when the networks could not be loaded.

        Args:
            image: with its digest.
            expression: what to rank for.
            learned: the ranking to use; None uses the preset's.
            interactive: a person waits at the screen, so the job goes before batch jobs.
        """
        return self._jobs.submit(
            Priority.INTERACTIVE if interactive else Priority.BATCH, self._refer, image, expression, learned
        )

    def _refer(
        self, image: Image, expression: str, learned: LearnedRanking | None
    ) -> tuple[Scene, ReferResult]:
        pipeline, scene = self._see(image)
        if learned is not None:
            pipeline = pipeline.replace_ranking(learned.coefficients, learned.version)
        return scene, pipeline.refer(scene, expression, image)

    def refine(self, image: Image, prompts: Prompts) -> "Future[tuple[Scene, Proposals]]":
        """Compute the image's scene, unless it is cached, and masks for clicks, boxes and strokes.

        The future fails with NotReady when the networks could not be loaded, or the preset cannot refine.
        """
        return self._jobs.submit(Priority.INTERACTIVE, self._refine, image, prompts)

    def _refine(self, image: Image, prompts: Prompts) -> tuple[Scene, Proposals]:
        pipeline, scene = self._see(image)
        if pipeline.refiner is None:
            raise NotReady("the preset has no network that makes masks from clicks; choose another one")
        return scene, pipeline.refiner.refine(scene, prompts)

    def _see(self, image: Image) -> tuple[Pipeline, Scene]:
        try:
            pipeline = self._pipeline.result(timeout=0)  # same thread: loading is the first job
        except BackendError as error:
            raise NotReady(f"the models could not be loaded: {error}") from error
        scene = self.cache.get(image.digest)
        if scene is None:
            scene = pipeline.see(image)
            self.cache.put(scene)
        return pipeline, scene

    @property
    def is_stopping(self) -> bool:
        """Whether no more jobs are begun, so that waiting requests must be answered now."""
        return self._jobs.is_closed

    def check_open(self) -> None:
        """Raise unless a new job would be accepted.

        Raises:
            NotReady: the server is stopping.
        """
        self._jobs.check_open()

    def reject_jobs(self) -> None:
        """Accept no more jobs, and fail those that wait with NotReady; the running one continues."""
        self._jobs.reject_jobs()

    def close(self) -> None:
        """Finish the running job, and fail those that wait with NotReady."""
        self._jobs.close()


def _log_failure(loaded: "Future[Pipeline]") -> None:
    error = loaded.exception()
    if error is not None and not isinstance(error, NotReady):
        log.error("the models could not be loaded: %s", describe_error(error), exc_info=error)
