"""What is to be done: tasks that lack suggestions, all expressions of an image together."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ris.core.types import Task

MAX_TASKS_PER_GROUP = 200  # of one image in one piece of work: what is lost at most when a machine goes


@dataclass(frozen=True, slots=True)
class TaskGroup:
    """A piece of work: tasks of one image, which is seen once for all of them."""

    image_url: str
    tasks: tuple[Task, ...]


def group_tasks(tasks: Iterable[Task]) -> list[TaskGroup]:
    """The tasks by image, in the order in which images first come."""
    by_image: dict[str, list[Task]] = {}
    for task in tasks:
        by_image.setdefault(task.image_url, []).append(task)
    return [
        TaskGroup(image, tuple(part))
        for image, found in by_image.items()
        for part in _split(found, MAX_TASKS_PER_GROUP)
    ]


def _split(tasks: Sequence[Task], size: int) -> list[Sequence[Task]]:
    return [tasks[start : start + size] for start in range(0, len(tasks), size)]
