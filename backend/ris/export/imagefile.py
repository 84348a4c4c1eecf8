"""One picture is one file: its name in every format, and its bytes."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from ris.core.decision import Decision
from ris.core.types import Task
from ris.errors import ImageError, ImageUnreachable
from ris.export.pictures import ImageBytesSource

_EXTENSIONS = frozenset({"jpg", "jpeg", "png", "webp", "bmp", "tif", "tiff", "gif"})
MAX_STEM_CHARACTERS = 60
DIGEST_DIGITS = 16  # of the digest, in a name: enough to tell a million pictures of one name apart


@dataclass(frozen=True, slots=True)
class ImageFile:
    """A picture of an export.

    Attributes:
        digest: SHA-256 of its file: two pictures with one digest are one, whatever their addresses.
        name: of its file in an export; a plain one.
        tasks: those that show it: where it can be fetched.
    """

    digest: str
    name: str
    tasks: tuple[Task, ...]


def find_image_files(decisions: Iterable[Decision]) -> dict[str, ImageFile]:
    """By digest the picture of every decision that has one; it is named after its first address."""
    tasks: dict[str, dict[tuple[str, str], Task]] = {}
    for decision in decisions:
        task = decision.correction.annotation.task
        if decision.image_digest is not None:
            tasks.setdefault(decision.image_digest, {}).setdefault((task.project, task.image_url), task)
    return {
        digest: ImageFile(
            digest, make_image_file_name(next(iter(own.values())).image_url, digest), tuple(own.values())
        )
        for digest, own in tasks.items()
    }


def make_image_file_name(reference: str, digest: str) -> str:
    """A plain name for a picture's file: its own, and enough of its digest to tell two of one name apart."""
    name = reference.split("?")[0].rsplit("/", 1)[-1]
    stem, dot, extension = name.rpartition(".")
    stem = stem if dot and not reference.startswith("data:") else "image"
    plain = "".join(
        c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in stem[:MAX_STEM_CHARACTERS]
    )
    known = extension.lower() if extension.lower() in _EXTENSIONS else "png"
    return f"{plain or 'image'}-{digest[:DIGEST_DIGITS]}.{known}"


def read_image_file(file: ImageFile, fetch: ImageBytesSource) -> bytes:
    """The bytes of a picture, from the first of its tasks that still has it.

    Raises:
        ImageError: none has; what lies at an address now may be another picture than was decided on.
    """
    failure: ImageError | None = None
    for task in file.tasks:
        try:
            data = fetch(task)
        except ImageError as error:
            failure = failure or error
            continue
        if hashlib.sha256(data).hexdigest() == file.digest:
            return data
        failure = failure or ImageUnreachable(
            f"the image of task {task.task_id} is another than the one that was annotated: it was replaced"
        )
    raise failure or ImageUnreachable("no task shows the picture")
