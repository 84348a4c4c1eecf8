"""The image files of an export: their names, which all formats share, and their bytes."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from ris.core.decision import Decision
from ris.core.types import Task
from ris.errors import ImageError, ImageUnreachable
from ris.export.pictures import ImageBytesSource

_EXTENSIONS = frozenset({"jpg", "jpeg", "png", "webp", "bmp", "tif", "tiff", "gif"})
MAX_STEM_CHARACTERS = 60
DIGEST_DIGITS = 16  # digits of the digest in a file name; 64 bits keep a million images apart


@dataclass(frozen=True, slots=True)
class ImageFile:
    """An image of an export.

    Attributes:
        digest: SHA-256 of the file, in hex; it identifies the image.
        name: name of the file in the export, in ASCII.
        tasks: the tasks that show the image, from which it can be fetched.
    """

    digest: str
    name: str
    tasks: tuple[Task, ...]


def find_image_files(decisions: Iterable[Decision]) -> dict[str, ImageFile]:
    """Collect the image files of decisions by digest; each is named after its first URL.

    Decisions without a digest are skipped.
    """
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
    """Make an ASCII file name from an image's URL and digest, such as "photo-0123456789abcdef.jpg"."""
    name = reference.split("?")[0].rsplit("/", 1)[-1]
    stem, dot, extension = name.rpartition(".")
    stem = stem if dot and not reference.startswith("data:") else "image"
    plain = "".join(
        c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in stem[:MAX_STEM_CHARACTERS]
    )
    known = extension.lower() if extension.lower() in _EXTENSIONS else "png"
    return f"{plain or 'image'}-{digest[:DIGEST_DIGITS]}.{known}"


def read_image_file(file: ImageFile, fetch: ImageBytesSource) -> bytes:
    """Fetch the bytes of an image from the first of its tasks that still has it.

    Raises:
        ImageError: no task has it; the image at a URL may have been replaced since it was annotated.
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
            f"the image of task {task.task_id} was replaced: it is not the one that was annotated"
        )
    raise failure or ImageUnreachable("no task shows the image")
