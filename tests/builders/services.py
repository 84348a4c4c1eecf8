"""Services that use the fakes: images are coloured squares."""

import threading
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from ris.core.types import Image, Task
from ris.errors import ImageUnreachable
from ris.referring.global_local import GLOBAL_LOCAL_PAPER, GlobalLocal
from ris.referring.pipeline import Pipeline
from ris.referring.ranking import RankingSettings
from tests.builders.fakes import ColourEncoder, SquaresProposer, WordParser, squares

NOW = datetime(2026, 1, 2, tzinfo=UTC)

FRAMING = replace(
    GLOBAL_LOCAL_PAPER.framing, mean=(0, 0, 0), std=(1, 1, 1), working_side=None, background=(0, 0, 0),
    box_rule="tight",
    antialias=True, grid_antialias=True,
)  # fmt: skip


def make_pipeline():
    method = GlobalLocal(ColourEncoder(), replace(GLOBAL_LOCAL_PAPER, framing=FRAMING, first_masked_block=1))
    proposer = SquaresProposer()
    return Pipeline(proposer, WordParser(), (method,), RankingSettings(), "fake-1", refiner=proposer)


class Images:
    """Images by reference; "gone" cannot be fetched, "black" is empty. Counts the calls."""

    def __init__(self):
        self.fetched = []

    def __call__(self, task):
        self.fetched.append(task.image_url)
        if task.image_url == "gone":
            raise ImageUnreachable(
                f"cannot fetch the image of task {task.task_id}: Label Studio answered 404"
            )
        if task.image_url == "black":
            return Image.from_pixels(np.zeros((16, 16, 3), np.uint8))
        return Image.from_pixels(squares())


class Gate:
    """A loader of the pipeline that waits until `opened` is set."""

    def __init__(self):
        self.opened = threading.Event()
        self.pipeline = make_pipeline()

    def __call__(self):
        assert self.opened.wait(60)
        return self.pipeline


def task(number=1, expression="the red", image="squares", project="1.1700000000"):
    return Task(number, project, image, expression)


IN_TIME, AT_ONCE = 60.0, 0.0


def ask(suggesting, *tasks, deadline_s=IN_TIME):
    return suggesting.suggest(tasks, deadline_s=deadline_s)
