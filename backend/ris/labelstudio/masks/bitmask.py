"""Bitmasks: a PNG with alpha as a data: URI; what is opaque is inside, as in a brush's mask."""

import base64
import binascii
import io

import numpy as np
from PIL import Image as Pillow

from ris.core import rle
from ris.core.rle import RLE
from ris.core.types import Size
from ris.errors import RegionError
from ris.labelstudio.masks import brush

DATA_URI_PREFIX = "data:image/png;base64,"


def encode_bitmask(mask: RLE) -> str:
    """Black and opaque inside, see-through outside: an opaque PNG would cover the whole image."""
    alpha = rle.decode_rle(mask).astype(np.uint8) * 255
    layers = np.stack([np.zeros_like(alpha), alpha], axis=-1)
    file = io.BytesIO()
    Pillow.fromarray(layers, "LA").convert("RGBA").save(file, "PNG")
    return DATA_URI_PREFIX + base64.b64encode(file.getvalue()).decode("ascii")


def decode_bitmask(uri: str, size: Size) -> RLE:
    """The mask of a picture.

    Raises:
        RegionError: it is no PNG, or of another size.
    """
    _, _, payload = uri.partition("base64,")
    try:
        with Pillow.open(io.BytesIO(base64.b64decode(payload, validate=True)), formats=["PNG"]) as picture:
            if picture.size != (size[1], size[0]):
                raise RegionError(f"its picture is {picture.size}, its size says {(size[1], size[0])}")
            if picture.mode not in ("LA", "RGBA", "PA") and "transparency" not in picture.info:
                raise RegionError(
                    "its picture has no transparency, and the editor shows it all over the image: make what "
                    "is outside of the mask transparent"
                )
            alpha = np.asarray(picture.convert("RGBA"))[..., 3]
    except (OSError, SyntaxError, binascii.Error, Pillow.DecompressionBombError) as error:
        raise RegionError("its imageDataURL is no PNG") from error
    return rle.encode_rle(brush.is_inside(alpha))
