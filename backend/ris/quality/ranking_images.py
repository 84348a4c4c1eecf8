"""Rank the expressions of a dataset that has no suggestions yet, image by image."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from ris.core.types import Image, Task
from ris.errors import ImageError
from ris.referring.pipeline import Pipeline
from ris.store.checked import CheckedTask, make_shown_ranking


def rank_tasks(
    tasks: Sequence[CheckedTask], pipeline: Pipeline, load_image: Callable[[Task], Image]
) -> Iterator[CheckedTask]:
    """Yield the tasks with their rankings, image by image; each image is fetched and seen once.

    A task whose image cannot be read has no ranking; `check_images` says why.
    """
    for _, group in groupby(sorted(tasks, key=lambda one: one.image), key=lambda one: one.image):
        members = list(group)
        try:
            image = load_image(members[0].task)
            scene = pipeline.see(image)
        except ImageError:
            yield from members
            continue
        for task, result in zip(
            members, pipeline.refer_all(scene, [one.task.expression for one in members], image), strict=True
        ):
            shown = [
                (one.score, {name: own.rank for name, own in one.methods.items()})
                for one in result.suggestions
            ]
            yield replace(task, ranking=make_shown_ranking(shown))
