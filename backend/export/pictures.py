"""The images of a dataset: as displayed, so that they fit their masks in every reader."""

import io
from collections.abc import Callable

from PIL import Image as Pillow
from PIL import ImageOps

from backend.core.types import Task
from backend.errors import ImageUnreadable

Fetch = Callable[[Task], bytes]
"""A task's image as the bytes of its file; raises an ImageError."""

ORIENTATION = 0x0112
JPEG_QUALITY = 95
EXTENSIONS = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp", "BMP": ".bmp", "TIFF": ".tif", "GIF": ".gif"}


def upright(data: bytes) -> tuple[bytes, str]:
    """The file with its EXIF orientation carried out, and the file extension that fits it.

    A file that stands upright stays as it is, byte for byte. A turned one is written again in its own format:
    many readers ignore EXIF, and would lay the mask on a picture that lies on its side.

    Raises:
        ImageUnreadable: it is no picture.
    """
    try:
        with Pillow.open(io.BytesIO(data)) as picture:
            kind = picture.format or ""
            if picture.getexif().get(ORIENTATION, 1) == 1:
                return data, EXTENSIONS.get(kind, ".png")
            turned = ImageOps.exif_transpose(picture)
            file = io.BytesIO()
            kind = kind if kind in EXTENSIONS else "PNG"
            turned.save(file, kind, **({"quality": JPEG_QUALITY} if kind == "JPEG" else {}))
            return file.getvalue(), EXTENSIONS[kind]
    except (OSError, SyntaxError, ValueError, Pillow.DecompressionBombError) as error:
        raise ImageUnreadable(f"the image cannot be read: {error}") from error
