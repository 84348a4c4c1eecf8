"""The image files of an export: their names, which all formats share, and their bytes."""

import hashlib
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ris.core.scratch import open_scratch
from ris.core.types import Size, Task
from ris.errors import ImageError, ImageUnreachable
from ris.export.pictures import ImageBytesSource

_EXTENSIONS = frozenset({"jpg", "jpeg", "png", "webp", "bmp", "tif", "tiff", "gif"})
MAX_STEM_CHARACTERS = 60
DIGEST_DIGITS = 16  # digits of the digest in a file name; 64 bits keep a million images apart
_MAX_REMEMBERED = 1_000  # images in memory; answers to one image are mostly adjacent

_SCHEMA = """
CREATE TABLE image (number INTEGER PRIMARY KEY, digest TEXT UNIQUE, height INTEGER, width INTEGER, url TEXT);
CREATE TABLE place (id INTEGER PRIMARY KEY, image INTEGER, project TEXT, url TEXT, task_id INTEGER,
                    expression TEXT, UNIQUE (image, project, url));
"""


@dataclass(frozen=True, slots=True)
class ImageFile:
    """An image of an export.

    Attributes:
        number: of the image, from 0, in the order of the decisions.
        digest: SHA-256 of the file, in hex; it identifies the image.
        name: name of the file in the export, in ASCII.
        image_url: the first URL under which a task shows the image.
        size: (height, width) in pixels as displayed.
    """

    number: int
    digest: str
    name: str
    image_url: str
    size: Size


class ImageBook:
    """The images of an export, and the tasks that show them: on disk, so that memory does not grow."""

    def __init__(self) -> None:
        self._scratch = open_scratch(_SCHEMA)
        self._numbers: dict[str, int] = {}
        self._files: dict[int, ImageFile] = {}
        self._n_images = 0

    def __len__(self) -> int:
        """Return the number of images."""
        return self._n_images

    def add(self, digest: str, size: Size, task: Task) -> int:
        """Add a task that shows an image; the file is named after the URL of the first one.

        Returns:
            The number of the image.
        """
        number = self._find_number(digest)
        if number is None:
            number, self._n_images = self._n_images, self._n_images + 1
            self._scratch.execute(
                "INSERT INTO image VALUES (?, ?, ?, ?, ?)", (number, digest, *size, task.image_url)
            )
        self._scratch.execute(
            "INSERT OR IGNORE INTO place VALUES (NULL, ?, ?, ?, ?, ?)",
            (number, task.project, task.image_url, task.task_id, task.expression),
        )
        _remember(self._numbers, digest, number)
        return number

    def _find_number(self, digest: str) -> int | None:
        if digest in self._numbers:
            return self._numbers[digest]
        row = self._scratch.execute("SELECT number FROM image WHERE digest = ?", (digest,)).fetchone()
        return None if row is None else int(row[0])

    def __getitem__(self, number: int) -> ImageFile:
        """Return the image of a number."""
        if number not in self._files:
            query = "SELECT digest, height, width, url FROM image WHERE number = ?"
            digest, height, width, url = self._scratch.execute(query, (number,)).fetchone()
            file = ImageFile(number, digest, make_image_file_name(url, digest), url, (height, width))
            _remember(self._files, number, file)
        return self._files[number]

    def find(self, digest: str) -> ImageFile:
        """Return the image of a digest.

        Raises:
            KeyError: no decision has it.
        """
        number = self._find_number(digest)
        if number is None:
            raise KeyError(digest)
        _remember(self._numbers, digest, number)
        return self[number]

    def read_tasks(self, file: ImageFile) -> Iterator[Task]:
        """Yield the tasks that show an image, one for each project and URL."""
        query = "SELECT task_id, project, url, expression FROM place WHERE image = ? ORDER BY id"
        for row in self._scratch.execute(query, (file.number,)):
            yield Task(*row)


def _remember(known: dict[Any, Any], key: Any, value: Any) -> None:
    if len(known) >= _MAX_REMEMBERED:
        known.clear()
    known[key] = value


class ImageNumbers:
    """Numbers of images in one file, from 1, in order of first appearance: 4 bytes an image."""

    def __init__(self) -> None:
        self._numbers = array("I")
        self._n_numbered = 0

    def assign(self, file: ImageFile) -> tuple[int, bool]:
        """Return the number of an image, and whether it is new."""
        while len(self._numbers) <= file.number:
            self._numbers.append(0)
        is_new = self._numbers[file.number] == 0
        if is_new:
            self._n_numbered += 1
            self._numbers[file.number] = self._n_numbered
        return self._numbers[file.number], is_new


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


def read_image_file(file: ImageFile, tasks: Iterable[Task], fetch: ImageBytesSource) -> bytes:
    """Fetch the bytes of an image from the first of its tasks that still has it.

    Raises:
        ImageError: no task has it; the image at a URL may have been replaced since it was annotated.
    """
    failure: ImageError | None = None
    for task in tasks:
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
