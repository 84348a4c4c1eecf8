"""Encode masks as bitmasks: a PNG with alpha as a data: URI. Opaque pixels are inside, as in a brush mask."""

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from ris.core import rle
from ris.core.rle import RLE
from ris.core.types import Size
from ris.errors import ImageUnreadable, RegionError
from ris.labelstudio.images.decoding import open_image, read_head
from ris.labelstudio.images.pixels import to_upright
from ris.labelstudio.masks import brush

_MAX_PIXELS = Pillow.MAX_IMAGE_PIXELS or 2**26
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
        data = base64.b64decode(payload, validate=True)
        head = read_head(data, max_pixels=_MAX_PIXELS)
        if head.format != "PNG":
            raise RegionError(f"its imageDataURL is a picture of the format {head.format}, and must be a PNG")
        if head.size != size:
            raise RegionError(f"its picture is {head.size[::-1]}, its size says {size[::-1]}")
        picture, _ = open_image(data, max_pixels=_MAX_PIXELS)
    except (ImageUnreadable, ValueError) as error:  # ValueError: it is not base64
        raise RegionError(f"its imageDataURL is no PNG: {error}") from error
    with picture:
        return rle.encode_rle(brush.is_inside(_read_alpha(to_upright(picture))))


def _read_alpha(picture: Pillow.Image) -> NDArray[np.uint8]:
    if "A" in picture.getbands():
        return np.asarray(picture.getchannel("A"))
    if "transparency" in picture.info:
        return np.asarray(picture.convert("RGBA").getchannel("A"))
    raise RegionError(
        "its picture has no transparency, and the editor draws it over the whole image: make the "
        "pixels outside of the mask transparent"
    )
