"""Encode masks as bitmasks: a PNG with alpha as a data: URI. Opaque pixels are inside, as in a brush mask."""

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
    """Encode a mask: black with the alphas of `brush.shade_mask` inside, transparent outside.

    An opaque PNG would cover the whole image.
    """
    alpha = brush.shade_mask(rle.decode_rle(mask))
    layers = np.stack([np.zeros_like(alpha), alpha], axis=-1)
    file = io.BytesIO()
    Pillow.fromarray(layers, "LA").convert("RGBA").save(file, "PNG")
    return DATA_URI_PREFIX + base64.b64encode(file.getvalue()).decode("ascii")


def decode_bitmask(uri: str, size: Size) -> RLE:
    """Decode the mask of a bitmask region; `brush.is_inside` says which alphas count.

    Args:
        uri: the region's imageDataURL.
        size: (height, width) that the region claims.

    Raises:
        RegionError: it is no PNG with transparency, or has another size.
    """
    _, _, payload = uri.partition("base64,")
    try:
        with Pillow.open(io.BytesIO(base64.b64decode(payload, validate=True)), formats=["PNG"]) as picture:
            if picture.size != (size[1], size[0]):
                raise RegionError(f"its picture is {picture.size}, its size says {(size[1], size[0])}")
            if picture.mode not in ("LA", "RGBA", "PA") and "transparency" not in picture.info:
                raise RegionError(
                    "its picture has no transparency, and the editor draws it over the whole image: make the "
                    "pixels outside of the mask transparent"
                )
            alpha = np.asarray(picture.convert("RGBA"))[..., 3]
    except (OSError, SyntaxError, binascii.Error, Pillow.DecompressionBombError) as error:
        raise RegionError("its imageDataURL is no PNG") from error
    return rle.encode_rle(brush.is_inside(alpha))
