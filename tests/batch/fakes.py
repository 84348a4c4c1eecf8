"""A labeller of fakes that other processes can make: coloured squares, images that kill or are not there."""

import os
from functools import partial
from pathlib import Path

from ris.batch.work import Labeller
from ris.core.types import Task
from ris.errors import ImageUnreachable, WeightsError
from tests.builders.fakes import squares
from tests.builders.services import make_pipeline


def fetch(task):
    from ris.core.types import Image

    if task.image_url == "gone":
        raise ImageUnreachable(f"cannot fetch the image of task {task.task_id}: Label Studio answered 404")
    if task.image_url == "deadly":
        os._exit(9)
    once = Path(task.image_url[5:])
    if task.image_url.startswith("once ") and not once.exists():
        once.touch()
        os._exit(9)
    return Image.from_pixels(squares())


def build():
    return make_pipeline(), fetch


def build_nothing():
    raise WeightsError("the model file x is missing; install the package again")


def build_and_die():
    os._exit(9)


MAKE = partial(Labeller, build, None)
MAKE_NOTHING = partial(Labeller, build_nothing, None)
MAKE_AND_DIE = partial(Labeller, build_and_die, None)


def tasks(*images, expression="the red"):
    return [Task(number, "1.1", image, expression) for number, image in enumerate(images, 1)]
