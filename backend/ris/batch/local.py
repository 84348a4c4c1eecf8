"""Read the images that a file of tasks names by a path, from one folder and no other.

Only the command line does this, with a file that its user named. A server does not, because its tasks can
come from anybody.
"""

from collections.abc import Callable
from pathlib import Path

from ris.batch.work import ImageFetcher
from ris.core.types import Image, Task
from ris.datasets.files import ImageFolder, is_address
from ris.errors import ImageUnreachable
from ris.labelstudio.images.decoding import decode_image


def load_folder_fetcher(
    load: Callable[[], ImageFetcher], folder: Path, max_bytes: int, max_pixels: int
) -> ImageFetcher:
    """Make the function of `make_folder_fetcher` in another process.

    Args:
        load: makes the image source for all other images. It is sent to other processes.
        folder: the folder of the images.
        max_bytes: limit of an image file.
        max_pixels: limit of an image.
    """
    return make_folder_fetcher(load(), folder, max_bytes, max_pixels)


def make_folder_fetcher(fetch: ImageFetcher, folder: Path, max_bytes: int, max_pixels: int) -> ImageFetcher:
    """Make the function that reads a task's image from a folder, or else with `fetch`.

    It raises an ImageError. The arguments are those of `load_folder_fetcher`.
    """
    images = ImageFolder(folder)

    def fetch_image(task: Task) -> Image:
        path = None if is_address(task.image_url) else images.find(task.image_url)
        if path is None:
            return fetch(task)
        if path.stat().st_size > max_bytes:
            raise ImageUnreachable(
                f"{path} has more than {max_bytes / 2**20:.0f} MiB; raise RIS_MAX_IMAGE_BYTES"
            )
        return decode_image(path.read_bytes(), max_pixels=max_pixels)

    return fetch_image
