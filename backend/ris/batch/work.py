"""The work of one worker process: run the networks on a group of tasks."""

from collections.abc import Callable
from dataclasses import dataclass

from ris.batch.plan import TaskGroup
from ris.core.rle import RLE
from ris.core.types import Image, Size, Task
from ris.errors import BackendError
from ris.referring.pipeline import Pipeline, ReferResult
from ris.referring.ranking import Coefficients

ImageFetcher = Callable[[Task], Image]


@dataclass(frozen=True, slots=True)
class VersionedCoefficients:
    """Learned coefficients of the ranking, and their model version."""

    coefficients: Coefficients
    version: str


@dataclass(frozen=True, slots=True, eq=False)
class GroupResult:
    """The result of a group.

    Attributes:
        group: the tasks.
        digest: SHA-256 of the image file; "" if the image could not be read.
        size: (height, width) of the image; (0, 0) if it could not be read.
        masks: its proposals, without the late ones of each reference.
        references: one per task, None for a failed one; empty if the image could not be read.
        failures: one per task: the reason why it failed, or "".
    """

    group: TaskGroup
    digest: str = ""
    size: Size = (0, 0)
    masks: tuple[RLE, ...] = ()
    references: tuple[ReferResult | None, ...] = ()
    failures: tuple[str, ...] = ()


class Labeller:
    """Computes references in a worker process, where it also loads its networks.

    Args:
        build: loads the pipeline and the image source; it is sent to the worker process.
        learned: coefficients of the ranking; None uses those of the preset.
    """

    def __init__(
        self, build: Callable[[], tuple[Pipeline, ImageFetcher]], learned: VersionedCoefficients | None
    ) -> None:
        pipeline, self.fetch = build()
        self.pipeline = (
            pipeline.replace_ranking(learned.coefficients, learned.version) if learned else pipeline
        )

    def work(self, group: TaskGroup) -> GroupResult:
        """Compute the references of a group. A BackendError becomes the failure of its task."""
        try:
            image = self.fetch(group.tasks[0])
            scene = self.pipeline.see(image)
        except BackendError as error:
            return GroupResult(group, failures=(str(error),) * len(group.tasks))
        references: list[ReferResult | None] = []
        failures: list[str] = []
        for task in group.tasks:
            try:
                references.append(self.pipeline.refer(scene, task.expression, image))
                failures.append("")
            except BackendError as error:
                references.append(None)
                failures.append(str(error))
        return GroupResult(group, scene.digest, scene.size, scene.masks, tuple(references), tuple(failures))
