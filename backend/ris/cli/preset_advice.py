"""Advice on the preset, from the first pictures of some tasks."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from ris import planning
from ris.cli.console import console
from ris.config import Settings
from ris.core.types import Image, Task
from ris.errors import BackendError

MAX_FETCHED_PICTURES = 3


def print_preset_advice(settings: Settings, tasks: Iterable[Task], fetch: Callable[[Task], Image]) -> None:
    """Print which preset suits the tasks' pictures, where the chosen one does not.

    Args:
        settings: with the chosen preset.
        tasks: at most `MAX_FETCHED_PICTURES` of their pictures are fetched, and only where the preset has toy
            networks.
        fetch: returns a task's image, or raises an ImageError.

    Raises:
        SettingsError: there is no such preset.
    """
    if advice := planning.advise_preset(settings, islice(_read_pictures(tasks, fetch), MAX_FETCHED_PICTURES)):
        console.print(advice, markup=False)


def _read_pictures(tasks: Iterable[Task], fetch: Callable[[Task], Image]) -> Iterator[NDArray[np.uint8]]:
    for task in islice(tasks, MAX_FETCHED_PICTURES):
        try:
            yield fetch(task).pixels
        except BackendError:
            continue  # whoever works on the task gives the reason
