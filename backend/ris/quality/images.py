"""Checks of images: the same picture twice, and in two splits."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from ris.core.types import Image, Task
from ris.errors import BackendError
from ris.quality.findings import FindingKind, TaskFinding
from ris.quality.image_hashes import HASH_BITS, compute_image_hash, find_similar
from ris.store.checked import CheckedTask


def check_images(tasks: Iterable[CheckedTask], load_image: Callable[[Task], Image]) -> Iterator[TaskFinding]:
    """Fetch each image once and find those that show the same; only their hashes are kept.

    Args:
        tasks: of any number of images.
        load_image: fetches the image of a task, or raises a BackendError.
    """
    first: dict[tuple[str, str], CheckedTask] = {}
    splits: dict[tuple[str, str], dict[str, CheckedTask]] = {}
    for task in tasks:
        first.setdefault(task.image, task)
        splits.setdefault(task.image, {}).setdefault(task.split, task)
    seen: list[CheckedTask] = []
    unreadable: list[TaskFinding] = []

    def hash_images() -> Iterator[NDArray[np.bool_]]:
        for task in first.values():
            try:
                pixels = load_image(task.task).pixels
            except BackendError as error:
                found = TaskFinding(
                    FindingKind.UNREADABLE_IMAGE, f"the image cannot be read: {error}", (task,)
                )
                unreadable.append(found)
                continue
            seen.append(task)
            yield compute_image_hash(pixels)

    for number, other, distance in find_similar(hash_images()):
        one, two = seen[number], seen[other]
        yield _make_duplicate(one, two, splits[one.image], splits[two.image], distance)
    yield from unreadable


def find_shared_images(tasks: Iterable[CheckedTask]) -> Iterator[TaskFinding]:
    """Find images of which one file has several addresses, or lies in several splits; nothing is fetched."""
    addresses: dict[tuple[str, str], dict[str, CheckedTask]] = {}
    splits: dict[tuple[str, str], dict[str, CheckedTask]] = {}
    for task in tasks:
        addresses.setdefault(task.image, {}).setdefault(task.task.image_url, task)
        splits.setdefault(task.image, {}).setdefault(task.split, task)
    for image, tasks_by_address in addresses.items():
        one, *others = tasks_by_address.values()
        for other in others:
            yield _make_duplicate(other, one, {other.split: other}, splits[image], 0)
        if not others and len(splits[image]) > 1:
            first, *rest = splits[image].values()
            for other in rest:
                yield _make_duplicate(other, first, {other.split: other}, splits[image], 0)


def _make_duplicate(
    one: CheckedTask,
    two: CheckedTask,
    splits: dict[str, CheckedTask],
    others: dict[str, CheckedTask],
    distance: int,
) -> TaskFinding:
    """Make the finding of two images that show the same, with tasks of different splits if there are some."""
    pair = next(((a, b) for s, a in splits.items() for t, b in others.items() if s != t), None)
    one, two = pair or (one, two)
    evidence = {"other": two.task.image_url, "distance": distance, "bits": HASH_BITS}
    if pair:
        sentence = (
            f"the image is like that of {two.name}, and they are in the splits {one.split!r} and "
            f"{two.split!r}: move them into one"
        )
        return TaskFinding(FindingKind.LEAKED_IMAGE, sentence, (one, two), evidence)
    sentence = (
        f"the image is like that of {two.name} ({distance} of {HASH_BITS} bits differ): keep one of both"
    )
    return TaskFinding(FindingKind.DUPLICATE_IMAGE, sentence, (one, two), evidence)
