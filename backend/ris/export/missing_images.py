"""Images that the record does not know are fetched once, and remembered: one picture is one by its bytes."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from ris.core.address import to_address
from ris.core.decision import Decision
from ris.core.types import Image, Size, Task
from ris.errors import ImageError

ImageLookup = tuple[str, Size] | str
"""An image's digest and its (height, width), or why it could not be had."""


def fetch_missing_images(
    decisions: Sequence[Decision],
    see: Callable[[Task], Image],
    keep: Callable[[Task, Image], None],
    *,
    on_start: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[list[Decision], dict[tuple[str, str], str]]:
    """The decisions with their images, and by project and reference why an image could not be had.

    An image is fetched where nobody has seen it: its task was answered before the backend was asked, and no
    other task has its address. Every address is fetched once.

    Args:
        see: fetches and decodes the image of a task; raises an ImageError.
        keep: told of every image that was fetched.
        on_start: told before each how many are done, of how many.
    """
    wanted = _find_unseen(decisions)
    found: dict[str, ImageLookup] = {}
    for done, (address, task) in enumerate(wanted.items()):
        on_start(done, len(wanted))
        found[address] = _fetch_image(task, see, keep)
    known = [_add_image(decision, found) for decision in decisions]
    failures = {
        (task.project, task.image_url): reason
        for task in (d.correction.annotation.task for d in decisions)
        if isinstance(reason := found.get(to_address(task.image_url, task.project)), str)
    }
    return known, failures


def _find_unseen(decisions: Iterable[Decision]) -> dict[str, Task]:
    """By address, a task that shows it."""
    tasks = [d.correction.annotation.task for d in decisions if d.image_digest is None]
    return {to_address(task.image_url, task.project): task for task in reversed(tasks)}


def _fetch_image(
    task: Task, see: Callable[[Task], Image], keep: Callable[[Task, Image], None]
) -> ImageLookup:
    try:
        image = see(task)
    except ImageError as error:
        return str(error)
    keep(task, image)
    return image.digest, image.size


def _add_image(decision: Decision, found: dict[str, ImageLookup]) -> Decision:
    task = decision.correction.annotation.task
    seen = found.get(to_address(task.image_url, task.project)) if decision.image_digest is None else None
    if seen is None or isinstance(seen, str):
        return decision
    return replace(decision, image_digest=seen[0], image_size=seen[1])
