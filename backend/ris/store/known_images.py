"""Find the image of a task: by the task, by its address in its project, then by its address anywhere."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum

from sqlalchemy import ColumnElement, ScalarSelect, and_, case, func, or_, select
from sqlalchemy.orm import Session

from ris.core.address import to_address_key, to_addresses
from ris.core.types import Size, Task
from ris.store.schema import AddressRow, CorrectionRow, ImageRow, TaskRow


class Distance(IntEnum):
    """Where an image was seen, relative to a task; the smallest value is the most reliable."""

    THIS_TASK = 0
    THIS_PROJECT = 1
    ANYWHERE = 2


@dataclass(frozen=True, slots=True)
class KnownImage:
    """An image that a task may show.

    Attributes:
        digest: SHA-256 of the file; images of one digest are the same.
        size: (height, width) in pixels as displayed.
        seen_at: when it was first seen at that place.
        distance: where it was seen.
    """

    digest: str
    size: Size
    seen_at: datetime
    distance: Distance


def find_known_images(
    session: Session, tasks: Sequence[Task], homes: Sequence[str] = ()
) -> list[tuple[KnownImage, ...]]:
    """Return the images seen at each task's address, nearest first; two queries for all tasks.

    Args:
        session: of the database.
        tasks: the result has one tuple for each, in order.
        homes: Label Studio's own addresses, as in `core.address.to_addresses`.
    """
    by_task = _find_by_task(session, tasks)
    addresses = [[to_address_key(a) for a in to_addresses(t.image_url, t.project, homes)] for t in tasks]
    by_address = _find_by_address(session, {key for keys in addresses for key in keys})
    found = []
    for task, keys in zip(tasks, addresses, strict=True):
        own = by_task.get((task.project, task.task_id, task.image_url), [])
        near = [
            _set_distance(image, project, task) for key in keys for project, image in by_address.get(key, ())
        ]
        found.append(tuple(sorted([*own, *near], key=lambda image: image.distance)))
    return found


def find_answer_images(
    session: Session,
    tasks: Sequence[Task],
    sizes: Sequence[Size | None],
    times: Sequence[datetime],
    homes: Sequence[str] = (),
) -> list[KnownImage | None]:
    """Return the image that each answer was given on; None without any. At most two queries.

    Only for answers whose own task has no image of the mask's size are addresses looked up.

    Args:
        session: of the database.
        tasks: of N answers.
        sizes: of their masks, (height, width); None without a mask.
        times: when they were given.
        homes: Label Studio's own addresses, as in `core.address.to_addresses`.
    """
    by_task = _find_by_task(session, tasks)
    own = [by_task.get((task.project, task.task_id, task.image_url), []) for task in tasks]
    others = [
        i
        for i, (images, size) in enumerate(zip(own, sizes, strict=True))
        if not any(size in (None, image.size) for image in images)
    ]
    elsewhere = find_known_images(session, [tasks[i] for i in others], homes) if others else []
    candidates: dict[int, Sequence[KnownImage]] = dict(zip(others, elsewhere, strict=True))
    return [choose_known_image(candidates.get(i, images), sizes[i], times[i]) for i, images in enumerate(own)]


def make_only_digest(has_mask: ColumnElement[bool]) -> ScalarSelect[str | None]:
    """Return SQL for the digest of an answer's image where its task alone tells it; else NULL.

    That is where one image was seen with the task, and it has the size of the answer's mask. It is what
    `find_answer_images` returns there, at a fifth of the cost. The query must select from `correction`.

    Args:
        has_mask: whether the answer has a mask.
    """
    digest = func.min(TaskRow.image_digest)
    fits = and_(
        func.min(ImageRow.height) == CorrectionRow.height, func.min(ImageRow.width) == CorrectionRow.width
    )
    is_certain = and_(digest == func.max(TaskRow.image_digest), or_(~has_mask, fits))
    return (
        select(case((is_certain, digest)))
        .join(ImageRow, ImageRow.digest == TaskRow.image_digest)
        .where(
            TaskRow.project == CorrectionRow.project,
            TaskRow.task_id == CorrectionRow.task_id,
            TaskRow.image_url == CorrectionRow.image_url,
        )
        .correlate(CorrectionRow)
        .scalar_subquery()
    )


def choose_known_image(images: Sequence[KnownImage], size: Size | None, at: datetime) -> KnownImage | None:
    """Return the image that an answer was given on; None without any image.

    The file at an address can be replaced. Images of the mask's size are preferred, then the nearest, then
    the last one seen before the answer.

    Args:
        images: those of the answer's task.
        size: of the answer's mask, (height, width); None without a mask.
        at: when the answer was given.
    """
    fitting = [image for image in images if size in (None, image.size)] or list(images)
    nearest = [image for image in fitting if image.distance == min(one.distance for one in fitting)]
    before = [image for image in nearest if image.seen_at <= at]
    if before:
        return max(before, key=lambda image: image.seen_at)
    return min(nearest, key=lambda image: image.seen_at, default=None)


def find_certain_size(images: Sequence[KnownImage]) -> Size | None:
    """Return the size of the nearest images, if it is one size and they were seen in the task's project.

    Otherwise it is None: the file at an address was replaced, and an answer may belong to either.
    """
    nearest = min((image.distance for image in images), default=Distance.ANYWHERE)
    sizes = {image.size for image in images if image.distance == nearest != Distance.ANYWHERE}
    return sizes.pop() if len(sizes) == 1 else None


def _find_by_task(session: Session, tasks: Iterable[Task]) -> Mapping[tuple[str, int, str], list[KnownImage]]:
    tasks = list(tasks)
    rows = session.execute(
        select(
            TaskRow.project, TaskRow.task_id, TaskRow.image_url, TaskRow.image_digest, TaskRow.answered_at,
            ImageRow.height, ImageRow.width,
        )
        .join(ImageRow, ImageRow.digest == TaskRow.image_digest)
        .where(
            TaskRow.project.in_({task.project for task in tasks}),
            TaskRow.task_id.in_({task.task_id for task in tasks}),
        )
    )  # fmt: skip
    found: dict[tuple[str, int, str], list[KnownImage]] = {}
    for project, number, reference, digest, at, height, width in rows:
        seen = KnownImage(digest, (height, width), at, Distance.THIS_TASK)
        found.setdefault((project, number, reference), []).append(seen)
    return found


def _find_by_address(session: Session, keys: set[str]) -> Mapping[str, list[tuple[str, KnownImage]]]:
    """Return the images seen at each address, each with the project in which it was seen."""
    rows = session.execute(
        select(
            AddressRow.address, AddressRow.project, AddressRow.digest, AddressRow.seen_at,
            ImageRow.height, ImageRow.width,
        )
        .join(ImageRow, ImageRow.digest == AddressRow.digest)
        .where(AddressRow.address.in_(keys))
    )  # fmt: skip
    found: dict[str, list[tuple[str, KnownImage]]] = {}
    for address, project, digest, at, height, width in rows:
        found.setdefault(address, []).append(
            (project, KnownImage(digest, (height, width), at, Distance.ANYWHERE))
        )
    return found


def _set_distance(image: KnownImage, project: str, task: Task) -> KnownImage:
    return replace(image, distance=Distance.THIS_PROJECT) if project == task.project else image
