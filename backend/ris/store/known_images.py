"""Which picture a task shows: looked up by the task, by its address in its project, then anywhere."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from ris.core.address import to_address_key, to_addresses
from ris.core.types import Size, Task
from ris.store.schema import AddressRow, ImageRow, TaskRow

_THIS_TASK, _THIS_PROJECT, _ANYWHERE = range(3)  # how near to a task its picture was seen


@dataclass(frozen=True, slots=True)
class KnownImage:
    """A picture that a task may show.

    Attributes:
        digest: SHA-256 of the file: what makes two pictures one.
        size: (height, width) as displayed.
        seen_at: when it was found there.
        distance: THIS_TASK, THIS_PROJECT or ANYWHERE.
    """

    digest: str
    size: Size
    seen_at: datetime
    distance: int


def find_known_images(
    session: Session, tasks: Sequence[Task], homes: Sequence[str] = ()
) -> list[tuple[KnownImage, ...]]:
    """By task, every picture that was seen at its address, nearest first; in three queries in all.

    Args:
        homes: Label Studio's own addresses, as in `core.address.to_addresses`.
    """
    by_task = _find_by_task(session, tasks)
    addresses = [[to_address_key(a) for a in to_addresses(t.image_url, t.project, homes)] for t in tasks]
    by_address = _find_by_address(session, {key for keys in addresses for key in keys})
    found = []
    for task, keys in zip(tasks, addresses, strict=True):
        own = by_task.get((task.project, task.task_id, task.image_url), [])
        near = [
            _set_distance(picture, project, task)
            for key in keys
            for project, picture in by_address.get(key, ())
        ]
        found.append(tuple(sorted([*own, *near], key=lambda picture: picture.distance)))
    return found


def choose_known_image(pictures: Sequence[KnownImage], size: Size | None, at: datetime) -> KnownImage | None:
    """The picture that an answer was given on: of its mask's size, seen near, and before the answer.

    What lies at an address can be replaced; a mask says what size it was drawn in.

    Args:
        size: of the answer's mask; None where it has none.
        at: when the answer was given.
    """
    fitting = [p for p in pictures if size in (None, p.size)] or list(pictures)
    nearest = [p for p in fitting if p.distance == min(one.distance for one in fitting)]
    before = [p for p in nearest if p.seen_at <= at]
    if before:
        return max(before, key=lambda p: p.seen_at)
    return min(nearest, key=lambda p: p.seen_at, default=None)


def find_certain_size(pictures: Sequence[KnownImage]) -> Size | None:
    """The size that all pictures of a task have which were seen in its project; None where there are several.

    What lies at an address can be replaced: then nobody knows which of them an answer was drawn on.
    """
    nearest = min((p.distance for p in pictures), default=_ANYWHERE)
    sizes = {p.size for p in pictures if p.distance == nearest != _ANYWHERE}
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
        seen = KnownImage(digest, (height, width), at, _THIS_TASK)
        found.setdefault((project, number, reference), []).append(seen)
    return found


def _find_by_address(session: Session, keys: set[str]) -> Mapping[str, list[tuple[str, KnownImage]]]:
    """By address, each project in which a picture was seen there, and the picture."""
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
        found.setdefault(address, []).append((project, KnownImage(digest, (height, width), at, _ANYWHERE)))
    return found


def _set_distance(picture: KnownImage, project: str, task: Task) -> KnownImage:
    return replace(picture, distance=_THIS_PROJECT) if project == task.project else picture
