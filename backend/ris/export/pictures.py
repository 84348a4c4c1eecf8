"""Write images so that they match their masks in every reader.

A file that needs no EXIF rotation and has the format of its extension is copied byte for byte. All other
images are rotated and encoded again in the format of the extension, because many readers ignore the EXIF
orientation, and many cannot read MPO, AVIF or HEIC.
"""

import io
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any

from PIL import Image as Pillow

from ris.core.types import Task
from ris.errors import ImageUnreadable
from ris.labelstudio.images.decoding import open_image
from ris.labelstudio.images.metadata import extract_first_jpeg, read_orientation
from ris.labelstudio.images.pixels import render_pixels, to_upright
from ris.labelstudio.images.signatures import is_heif

ImageBytesSource = Callable[[Task], bytes]
"""Returns the bytes of a task's image file, or raises an ImageError."""

EXTENSION_BY_FORMAT = {
    "JPEG": ".jpg",
    "PNG": ".png",
    "WEBP": ".webp",
    "BMP": ".bmp",
    "TIFF": ".tif",
    "GIF": ".gif",
}
FORMAT_BY_EXTENSION = {extension: kind for kind, extension in EXTENSION_BY_FORMAT.items()} | {
    ".jpeg": "JPEG",
    ".tiff": "TIFF",
}
_LABEL_STUDIO_EXTENSIONS = (
    ".bmp",
    ".gif",
    ".jpg",
    ".jpeg",
    ".png",
    ".webp",
)  # image types that Label Studio imports
MODES_BY_FORMAT = {
    "JPEG": ("L", "RGB", "CMYK"),
    "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
    "WEBP": ("RGB", "RGBA"),
    "BMP": ("1", "L", "RGB"),
    "TIFF": ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "F"),
    "GIF": ("1", "L"),
}
SAVE_OPTIONS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"lossless": True},
}
MAX_EXPORTED_PIXELS = Pillow.MAX_IMAGE_PIXELS or 2**27


def make_upright(data: bytes) -> tuple[bytes, str]:
    """Apply the EXIF orientation of an image file.

    Returns:
        The bytes of the file, and its extension, such as ".jpg".

    Raises:
        ImageUnreadable: the bytes are not an image.
    """
    picture, data = _open_image(data)
    with picture:
        kind = "JPEG" if picture.format == "MPO" else picture.format or ""
        kind = kind if kind in EXTENSION_BY_FORMAT else "PNG"
        return _to_bytes(data, picture, kind), EXTENSION_BY_FORMAT[kind]


def to_named_format(data: bytes, name: str) -> bytes:
    """Apply the EXIF orientation of an image file and convert it to the format of a file name.

    JPEG is written with quality 95, GIF with 256 colours, all other formats without loss. A name without a
    known extension gives PNG.

    Raises:
        ImageUnreadable: the bytes are not an image.
    """
    picture, data = _open_image(data)
    with picture:
        return _to_bytes(data, picture, FORMAT_BY_EXTENSION.get(PurePosixPath(name).suffix.lower(), "PNG"))


def _open_image(data: bytes) -> tuple[Pillow.Image, bytes]:
    try:
        return open_image(data, max_pixels=MAX_EXPORTED_PIXELS)
    except ImageUnreadable as error:
        raise ImageUnreadable(f"the image cannot be read: {error}") from error


def _to_bytes(data: bytes, picture: Pillow.Image, kind: str) -> bytes:
    exif = data if picture.format == "TIFF" else picture.info.get("exif")  # the header of a TIFF is EXIF
    is_upright = read_orientation(exif) == 1
    if is_upright and picture.format == kind:
        return data
    if is_upright and picture.format == "MPO" and kind == "JPEG":
        return extract_first_jpeg(data)
    if picture.mode not in MODES_BY_FORMAT[kind]:
        return _encode_image(Pillow.fromarray(render_pixels(picture)), kind)
    kept = {name: picture.info[name] for name in ("transparency", "icc_profile") if name in picture.info}
    upright = to_upright(picture)
    upright.info = {}
    return _encode_image(upright, kind, **kept)


def _encode_image(picture: Pillow.Image, kind: str, **kept: Any) -> bytes:
    file = io.BytesIO()
    try:
        picture.save(file, kind, **kept, **SAVE_OPTIONS.get(kind, {}))
    except Exception as error:  # Pillow raises any error over hostile palettes and profiles
        raise ImageUnreadable(f"the image cannot be written as {kind}: {error}") from error
    return file.getvalue()


def to_displayable(name: str, data: bytes) -> tuple[str, bytes]:
    """Convert an image file to one that Label Studio imports and browsers display.

    Returns:
        Name and bytes: unchanged if possible, otherwise as a PNG with the EXIF orientation applied.

    Raises:
        ImageUnreadable: the bytes are not an image.
    """
    is_unsupported = is_heif(data) or data[:4] in (b"II*\x00", b"MM\x00*")
    if PurePosixPath(name).suffix.lower() in _LABEL_STUDIO_EXTENSIONS and not is_unsupported:
        return name, data
    png_name = f"{PurePosixPath(name).stem or 'image'}.png"
    return png_name, to_named_format(data, png_name)
