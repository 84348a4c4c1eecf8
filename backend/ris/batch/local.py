"""Pictures that a file of tasks names by a path: read from the folder that a person named, and no other.

A server never does this: its tasks are anybody's. The command line reads a file that its user named, and what
that file names inside its own folder.
"""

from collections.abc import Callable
from pathlib import Path

from ris.batch.work import ImageFetcher
from ris.core.types import Image, Task
from ris.datasets.files import ImageFolder, is_address
from ris.errors import ImageUnreachable
from ris.labelstudio.images.decoding import decode_image
from ris.referring.pipeline import Pipeline


def load_worker_with_folder(
    parts: Callable[[], tuple[Pipeline, ImageFetcher]], folder: Path, max_bytes: int, max_pixels: int
) -> tuple[Pipeline, ImageFetcher]:
    """What a labeller is made of, with pictures of a folder before those of Label Studio.

    Args:
        parts: what it is made of without them; it is carried to other processes, and so is this.
        max_bytes, max_pixels: of one picture.
    """
    pipeline, fetch = parts()
    pictures = ImageFolder(folder)

    def fetch_image(task: Task) -> Image:
        path = None if is_address(task.image_url) else pictures.find(task.image_url)
        if path is None:
            return fetch(task)
        if path.stat().st_size > max_bytes:
            raise ImageUnreachable(
                f"{path} has more than {max_bytes / 2**20:.0f} MiB; set RIS_MAX_IMAGE_BYTES"
            )
        return decode_image(path.read_bytes(), max_pixels=max_pixels)

    return pipeline, fetch_image
