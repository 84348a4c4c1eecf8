"""Group tasks by image, and images into blocks: a block is the unit of work, and becomes one shard."""

import hashlib
import itertools
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ris.core.types import Task

MAX_TASKS_PER_GROUP = 200  # bounds the work of one image that is lost with a worker


@dataclass(frozen=True, slots=True)
class TaskGroup:
    """Tasks of one image, which is processed once for all of them."""

    image_url: str
    tasks: tuple[Task, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """Groups that one worker processes, and whose results are written together.

    Attributes:
        groups: some groups, in the order of the manifest.
        version: of the suggestions.
    """

    groups: tuple[TaskGroup, ...]
    version: str

    @property
    def name(self) -> str:
        """Digest of the version and of all tasks: the same block has the same name on every machine."""
        content = [[t.project, t.task_id, t.image_url, t.expression] for g in self.groups for t in g.tasks]
        return hashlib.sha256(json.dumps([self.version, content]).encode()).hexdigest()[:32]


def group_tasks(tasks: Iterable[Task]) -> Iterator[TaskGroup]:
    """Group tasks that follow one another and have the same image; a group has a limited size.

    Args:
        tasks: the tasks of an image one after another.
    """
    for image, tasks_of_image in itertools.groupby(tasks, lambda task: task.image_url):
        while part := tuple(itertools.islice(tasks_of_image, MAX_TASKS_PER_GROUP)):
            yield TaskGroup(image, part)


def make_blocks(groups: Iterable[TaskGroup], version: str, *, n_images: int) -> Iterator[Block]:
    """Make blocks of at most `n_images` groups.

    Args:
        groups: the groups; they are read as blocks are taken.
        version: of the suggestions.
        n_images: groups in a block.
    """
    waiting = iter(groups)
    while part := tuple(itertools.islice(waiting, n_images)):
        yield Block(part, version)
