"""One worker: networks, and what they find for a piece of work, in a process of their own."""

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
    """What was learned about the ranking, and the version that it makes."""

    coefficients: Coefficients
    version: str


@dataclass(frozen=True, slots=True, eq=False)
class GroupResult:
    """What became of a piece of work.

    Attributes:
        digest, size: of its image; "" and (0, 0) when that could not be had.
        masks: its proposals.
        references: one a task; empty when the image could not be had.
        failures: a sentence for each task that has no reference, by its place in the group.
    """

    group: TaskGroup
    digest: str = ""
    size: Size = (0, 0)
    masks: tuple[RLE, ...] = ()
    references: tuple[ReferResult | None, ...] = ()
    failures: tuple[str, ...] = ()


class Labeller:
    """Sees and refers. Everything that it needs is made where it runs.

    Args:
        build: makes the pipeline and the way to images; it is carried to other processes.
        learned: what to rank by; None ranks as the preset does.
    """

    def __init__(
        self, build: Callable[[], tuple[Pipeline, ImageFetcher]], learned: VersionedCoefficients | None
    ) -> None:
        pipeline, self.fetch = build()
        self.pipeline = (
            pipeline.replace_ranking(learned.coefficients, learned.version) if learned else pipeline
        )

    def work(self, group: TaskGroup) -> GroupResult:
        """The references of a group. Never raises for what a task brought: that is its failure alone."""
        try:
            image = self.fetch(group.tasks[0])
            scene = self.pipeline.see(image)
        except BackendError as error:
            return GroupResult(group, failures=(str(error),) * len(group.tasks))
        references: list[ReferResult | None] = []
        failures: list[str] = []
        for task in group.tasks:
            try:
                references.append(self.pipeline.refer(scene, task.expression))
                failures.append("")
            except BackendError as error:
                references.append(None)
                failures.append(str(error))
        return GroupResult(group, scene.digest, scene.size, scene.masks, tuple(references), tuple(failures))
