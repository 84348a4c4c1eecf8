"""Encode pictures for a vision-language model."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from ris.core.types import Size

JPEG_QUALITY = 90


def encode_jpeg(pixels: NDArray[np.uint8], size: Size | None = None) -> bytes:
    """Encode a picture as a JPEG file, of the same bytes each time.

    Args:
        pixels: uint8 [H, W, 3], RGB.
        size: (height, width) that it is resized to first, bicubic; None keeps its size.
    """
    picture = Pillow.fromarray(np.ascontiguousarray(pixels))
    if size is not None and size != (pixels.shape[0], pixels.shape[1]):
        picture = picture.resize((size[1], size[0]), Pillow.Resampling.BICUBIC)
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=JPEG_QUALITY)
    return file.getvalue()
