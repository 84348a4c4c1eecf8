"""Fetch the images whose digests are not on record, and record them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from ris.core.address import to_address
from ris.core.decision import Decision
from ris.core.types import Image, Size, Task
from ris.errors import ImageError

ImageLookup = tuple[str, Size] | str
"""The digest and (height, width) of an image, or why it could not be fetched."""


def fetch_missing_images(
    decisions: Sequence[Decision],
    fetch: Callable[[Task], Image],
    save: Callable[[Task, Image], None],
    *,
    on_start: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[list[Decision], dict[tuple[str, str], str]]:
    """Add digest and size to the decisions whose image is not on record.

    An image is not on record if its task was answered before the backend received a request for it. Each
    address is fetched once.

    Args:
        decisions: the decisions.
        fetch: fetches and decodes the image of a task, or raises an ImageError.
        save: is called with each fetched image, to record it.
        on_start: is called before each image with the number of images done and the total.

    Returns:
        The decisions; and by project and image URL, why an image could not be fetched.
    """
    missing = _find_unseen(decisions)
    found: dict[str, ImageLookup] = {}
    for done, (address, task) in enumerate(missing.items()):
        on_start(done, len(missing))
        found[address] = _fetch_image(task, fetch, save)
    known = [_add_image(decision, found) for decision in decisions]
    failures = {
        (task.project, task.image_url): reason
        for task in (d.correction.annotation.task for d in decisions)
        if isinstance(reason := found.get(to_address(task.image_url, task.project)), str)
    }
    return known, failures


def _find_unseen(decisions: Iterable[Decision]) -> dict[str, Task]:
    """Return one task by address, for the images that are not on record."""
    tasks = [d.correction.annotation.task for d in decisions if d.image_digest is None]
    return {to_address(task.image_url, task.project): task for task in reversed(tasks)}


def _fetch_image(
    task: Task, fetch: Callable[[Task], Image], save: Callable[[Task, Image], None]
) -> ImageLookup:
    try:
        image = fetch(task)
    except ImageError as error:
        return str(error)
    save(task, image)
    return image.digest, image.size


def _add_image(decision: Decision, found: dict[str, ImageLookup]) -> Decision:
    task = decision.correction.annotation.task
    seen = found.get(to_address(task.image_url, task.project)) if decision.image_digest is None else None
    if seen is None or isinstance(seen, str):
        return decision
    return replace(decision, image_digest=seen[0], image_size=seen[1])
