"""Group tasks by image, so that an image is processed once for all its expressions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ris.core.types import Task

MAX_TASKS_PER_GROUP = 200  # at most so many tasks are lost with a machine


@dataclass(frozen=True, slots=True)
class TaskGroup:
    """Tasks of one image, which is processed once for all of them."""

    image_url: str
    tasks: tuple[Task, ...]


def group_tasks(tasks: Iterable[Task]) -> list[TaskGroup]:
    """Group tasks by image, in the order of the images' first tasks; a group has a limited size."""
    by_image: dict[str, list[Task]] = {}
    for task in tasks:
        by_image.setdefault(task.image_url, []).append(task)
    return [
        TaskGroup(image, tuple(part))
        for image, tasks_of_image in by_image.items()
        for part in _split(tasks_of_image, MAX_TASKS_PER_GROUP)
    ]


def _split(tasks: Sequence[Task], size: int) -> list[Sequence[Task]]:
    return [tasks[start : start + size] for start in range(0, len(tasks), size)]
