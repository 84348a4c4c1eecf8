"""Image files."""

import io

import numpy as np
from PIL import Image

PIXELS = (np.arange(6 * 9 * 3) % 251).astype(np.uint8).reshape(6, 9, 3)


def file(kind, orientation=None, pixels=PIXELS):
    picture, out = Image.fromarray(pixels), io.BytesIO()
    exif = Image.Exif()
    if orientation:
        exif[0x0112] = orientation
    picture.save(out, kind, exif=exif)
    return out.getvalue()
