"""The work of one worker process: run the networks on the tasks of an image."""

from collections.abc import Callable
from dataclasses import dataclass

from ris.batch.plan import TaskGroup
from ris.core.rle import RLE
from ris.core.types import Image, Size, Task
from ris.errors import BackendError
from ris.referring.pipeline import Pipeline, ReferResult
from ris.referring.ranking import Coefficients
from ris.referring.scene import Scene

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


def make_failed_result(group: TaskGroup, reason: str) -> GroupResult:
    """Make the result of a group of which no task has suggestions."""
    return GroupResult(group, failures=(reason,) * len(group.tasks))


class GroupFetcher:
    """Fetches and decodes the image of a group, in a process that has no networks.

    Args:
        load: makes the image source; it is sent to the process.
    """

    def __init__(self, load: Callable[[], ImageFetcher]) -> None:
        self._fetch = load()

    def __call__(self, group: TaskGroup) -> Image | str:
        """Return the image, or the sentence why there is none."""
        try:
            return self._fetch(group.tasks[0])
        except BackendError as error:
            return str(error)


class Labeller:
    """Computes references in a worker process, where it also loads its networks.

    Args:
        load: loads the pipeline; it is sent to the process.
        learned: coefficients of the ranking; None uses those of the preset.
    """

    def __init__(self, load: Callable[[], Pipeline], learned: VersionedCoefficients | None) -> None:
        pipeline = load()
        self.pipeline = (
            pipeline.replace_ranking(learned.coefficients, learned.version) if learned else pipeline
        )

    def __call__(self, one: tuple[TaskGroup, Image]) -> GroupResult:
        """Compute the references of a group from its image. A BackendError fails its task."""
        group, image = one
        try:
            scene = self.pipeline.see(image)
        except BackendError as error:
            return make_failed_result(group, str(error))
        found = self._refer_all(scene, group, image)
        references = tuple(None if isinstance(each, BackendError) else each for each in found)
        failures = tuple(str(each) if isinstance(each, BackendError) else "" for each in found)
        return GroupResult(group, scene.digest, scene.size, scene.masks, references, failures)

    def _refer_all(self, scene: Scene, group: TaskGroup, image: Image) -> list[ReferResult | BackendError]:
        """Refer to all expressions in one batch; after a failure one by one, to fail one task."""
        try:
            return list(self.pipeline.refer_all(scene, [task.expression for task in group.tasks], image))
        except BackendError:
            return [self._refer(scene, task, image) for task in group.tasks]

    def _refer(self, scene: Scene, task: Task, image: Image) -> ReferResult | BackendError:
        try:
            return self.pipeline.refer(scene, task.expression, image)
        except BackendError as error:
            return error
