"""Workers without networks, for what is measured of their driver. Other processes import this module."""

from collections.abc import Callable

import numpy as np

from ris.batch.work import GroupResult, make_failed_result
from ris.core.types import Image, Task


def load_fake_fetch() -> Callable[[Task], Image]:
    """Make an image source of black images."""
    return lambda task: Image.from_pixels(np.zeros((480, 640, 3), np.uint8))


def load_fake_fetcher() -> Callable[[object], Image]:
    """Make a fetcher of black images."""
    return lambda group: Image.from_pixels(np.zeros((480, 640, 3), np.uint8))


def load_fake_labeller() -> Callable[[tuple[object, Image]], GroupResult]:
    """Make a labeller without networks."""
    return lambda one: make_failed_result(one[0], "a fake has no suggestion")  # type: ignore[arg-type]
