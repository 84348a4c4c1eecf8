"""Load the images of a benchmark from a folder."""

from pathlib import Path

from ris.core.types import Image
from ris.errors import ImageUnreachable
from ris.labelstudio.images.decoding import decode_image


def find_image_path(folder: Path, name: str) -> Path | None:
    """Find the file of an image by its name in the dataset, or by the last part of that name.

    Returns:
        The path; None if there is no such file.
    """
    for path in (folder / name.lstrip("/"), folder / Path(name).name):
        if path.is_file():
            return path
    return None


def load_image(folder: Path, name: str, *, max_pixels: int) -> Image:
    """Load an image with its EXIF orientation applied.

    Args:
        folder: the folder of the images.
        name: the image's name in the dataset.
        max_pixels: limit of width * height.

    Raises:
        ImageUnreachable: the file does not exist or cannot be read.
        ImageUnreadable: the file is not an image, or the image has more pixels than allowed.
    """
    path = find_image_path(folder, name)
    if path is None:
        raise ImageUnreachable(f"there is no such image in {folder}")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ImageUnreachable(f"the image cannot be read: {error.strerror}") from error
    return decode_image(data, max_pixels=max_pixels)
