"""The images of a dataset: as displayed, so that they fit their masks in every reader.

The rule. What stands upright in the format that its name says stays as it is, byte for byte. All else is
written again in the format that the name says: many readers ignore EXIF, and would lay the mask on a picture
that lies on its side; many know no MPO, AVIF or HEIC.
"""

import io
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any

from PIL import Image as Pillow

from ris.core.types import Task
from ris.errors import ImageUnreadable
from ris.labelstudio.images.decoding import open_image, to_rgb, to_upright
from ris.labelstudio.images.metadata import extract_first_jpeg, read_orientation
from ris.labelstudio.images.signatures import is_heif

ImageBytesSource = Callable[[Task], bytes]
"""A task's image as the bytes of its file; raises an ImageError."""

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
)  # of pictures, what Label Studio takes
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
_MAX_PIXELS = Pillow.MAX_IMAGE_PIXELS or 2**27


def make_upright(data: bytes) -> tuple[bytes, str]:
    """The file with its EXIF orientation carried out, and the file extension that fits it.

    Raises:
        ImageUnreadable: it is no picture.
    """
    picture, data = _open_image(data)
    with picture:
        kind = "JPEG" if picture.format == "MPO" else picture.format or ""
        kind = kind if kind in EXTENSION_BY_FORMAT else "PNG"
        return _to_bytes(data, picture, kind), EXTENSION_BY_FORMAT[kind]


def to_named_format(data: bytes, name: str) -> bytes:
    """The file with its EXIF orientation carried out, in the format that a file's name says.

    A JPEG is written with little loss, a GIF with 256 colours, all else without loss. A name that says no
    format gets a PNG.

    Raises:
        ImageUnreadable: it is no picture.
    """
    picture, data = _open_image(data)
    with picture:
        return _to_bytes(data, picture, FORMAT_BY_EXTENSION.get(PurePosixPath(name).suffix.lower(), "PNG"))


def _open_image(data: bytes) -> tuple[Pillow.Image, bytes]:
    try:
        return open_image(data, max_pixels=_MAX_PIXELS)
    except ImageUnreadable as error:
        raise ImageUnreadable(f"the image cannot be read: {error}") from error


def _to_bytes(data: bytes, picture: Pillow.Image, kind: str) -> bytes:
    exif = data if picture.format == "TIFF" else picture.info.get("exif")  # a TIFF's own head is EXIF's
    is_upright = read_orientation(exif) == 1
    if is_upright and picture.format == kind:
        return data
    if is_upright and picture.format == "MPO" and kind == "JPEG":
        return extract_first_jpeg(data)
    return _encode_image(to_upright(picture), kind)


def _encode_image(picture: Pillow.Image, kind: str) -> bytes:
    fits = picture.mode in MODES_BY_FORMAT[kind]
    held = picture if fits else to_rgb(picture)
    kept = {name: held.info[name] for name in ("transparency", "icc_profile") if fits and name in held.info}
    plain = held.copy()
    plain.info = {}
    file = io.BytesIO()
    plain.save(file, kind, **kept, **SAVE_OPTIONS.get(kind, {}))
    return file.getvalue()


def to_displayable(name: str, data: bytes) -> tuple[str, bytes]:
    """A picture's file as Label Studio takes it and browsers show it: as it is, or else as an upright PNG.

    Raises:
        ImageUnreadable: it is no picture.
    """
    is_hidden = is_heif(data) or data[:4] in (b"II*\x00", b"MM\x00*")
    if PurePosixPath(name).suffix.lower() in _LABEL_STUDIO_EXTENSIONS and not is_hidden:
        return name, data
    other = f"{PurePosixPath(name).stem or 'image'}.png"
    return other, to_named_format(data, other)
