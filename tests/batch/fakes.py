"""Fetchers and labellers of fakes that other processes can make: coloured squares, images with a fault."""

import os
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

from ris.batch.manifest import ManifestWriter
from ris.batch.work import GroupFetcher, Labeller
from ris.core.types import Image, Task
from ris.errors import ImageUnreachable, WeightsError
from tests.builders.fakes import SquaresProposer, squares
from tests.builders.services import make_pipeline

FAULTS = ("deadly network", "hung network", "raising network")
FOR_EVER_S = 3600


def fetch(task):
    url = task.image_url
    if url == "gone":
        raise ImageUnreachable(f"cannot fetch the image of task {task.task_id}: Label Studio answered 404")
    if url == "deadly":
        os._exit(9)
    if url == "hung":
        time.sleep(FOR_EVER_S)
    if url == "raising":
        raise ValueError("7 is not a colour")
    if url.startswith("once "):
        die_once(Path(url[5:]))
    image = Image.from_pixels(squares())
    return Image(image.pixels, url) if url in FAULTS else image


def die_once(mark):
    if not mark.exists():
        mark.touch()
        os._exit(9)


class FaultyProposer(SquaresProposer):
    """Proposes squares, unless the image has a fault."""

    def propose(self, image):
        if image.digest == FAULTS[0]:
            os._exit(9)
        if image.digest == FAULTS[1]:
            time.sleep(FOR_EVER_S)
        if image.digest == FAULTS[2]:
            raise ValueError("no such layer")
        return super().propose(image)


def load_fetch():
    return fetch


def load_pipeline():
    return replace(make_pipeline(), proposer=FaultyProposer())


def load_nothing():
    raise WeightsError("the model file x is missing; install the package again")


def load_and_die():
    os._exit(9)


def work(item):
    """Return the number of this process, unless the item has a fault."""
    if item == "die":
        os._exit(9)
    if item == "hang":
        time.sleep(FOR_EVER_S)
    if item == "raise":
        raise KeyError("it")
    if isinstance(item, Path):
        die_once(item)
    return os.getpid()


def make_work():
    return work


def make_without_its_package():
    import no_such_package

    return no_such_package.work


def write_manifest(folder, images, n_images=2):
    """Write the manifest of a task for each image."""
    with ManifestWriter() as writer:
        writer.add(tasks(*images))
        writer.write(folder.manifest, "fake-1", images_per_block=n_images)


MAKE_FETCHER = partial(GroupFetcher, load_fetch)
MAKE = partial(Labeller, load_pipeline, None)
MAKE_NOTHING = partial(Labeller, load_nothing, None)
MAKE_AND_DIE = partial(Labeller, load_and_die, None)


def tasks(*images, expression="the red"):
    return [Task(number, "1.1", image, expression) for number, image in enumerate(images, 1)]
