"""The images of a benchmark: files in a folder."""

from pathlib import Path

from ris.core.types import Image
from ris.errors import ImageUnreachable
from ris.labelstudio.images.decoding import decode_image


def find_image_path(folder: Path, name: str) -> Path | None:
    """The file of an image, by its name in the dataset or the last part of it; None when there is none."""
    for path in (folder / name.lstrip("/"), folder / Path(name).name):
        if path.is_file():
            return path
    return None


def load_image(folder: Path, name: str, *, max_pixels: int) -> Image:
    """An image of a folder, as displayed.

    Raises:
        ImageUnreachable: there is no such file, or it may not be read.
        ImageUnreadable: it is no picture, or over the limit.
    """
    path = find_image_path(folder, name)
    if path is None:
        raise ImageUnreachable(f"there is no such image in {folder}")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ImageUnreachable(f"the image cannot be read: {error.strerror}") from error
    return decode_image(data, max_pixels=max_pixels)
