"""From a file's bytes to pixels: formats by content, limits before decoding, EXIF applied once."""

import hashlib
import io
import warnings

import numpy as np
from PIL import Image as Pillow
from PIL import ImageOps

from backend.core.types import Image
from backend.errors import ImageUnreadable

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")


def decode(data: bytes, *, max_pixels: int) -> Image:
    """The picture in these bytes, as displayed: turned as its EXIF says, RGB, on white where see-through.

    Of an animation the first frame. 16-bit grey is scaled to 8 bits.

    Raises:
        ImageUnreadable: no picture of a known format, cut short, or over the limit. Nothing is
            decoded before its size is known.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Pillow.DecompressionBombWarning)
            opened = Pillow.open(io.BytesIO(data), formats=FORMATS)
    except (Pillow.DecompressionBombError, Pillow.DecompressionBombWarning) as error:
        raise ImageUnreadable(f"the picture is far too large: {error}") from error
    except Exception as error:  # Pillow's plugins raise what they like over hostile bytes
        raise ImageUnreadable(
            f"its {len(data)} bytes are no picture; {', '.join(FORMATS)} can be read"
        ) from error
    with opened as picture:
        width, height = picture.size
        if width * height > max_pixels:
            raise ImageUnreadable(
                f"the picture has {width} x {height} = {width * height / 1e6:.0f} megapixels, "
                f"{max_pixels / 1e6:.0f} are the limit; set RIS_MAX_IMAGE_PIXELS if that is meant"
            )
        try:
            pixels = np.array(_rgb(ImageOps.exif_transpose(picture)))
        except Exception as error:
            raise ImageUnreadable(f"the {picture.format} picture is damaged or cut short: {error}") from error
    return Image(pixels, hashlib.sha256(data).hexdigest())


def _rgb(picture: Pillow.Image) -> Pillow.Image:
    if picture.mode.startswith("I") or picture.mode == "F":
        values = np.asarray(picture, np.float64)
        top = 65535 if picture.mode.startswith("I") else max(float(values.max()), 1e-9)
        return Pillow.fromarray(np.clip(values * 255 / top, 0, 255).astype(np.uint8)).convert("RGB")
    if "A" in picture.getbands() or "transparency" in picture.info:
        layer = picture.convert("RGBA")
        ground = Pillow.new("RGBA", layer.size, "white")
        return Pillow.alpha_composite(ground, layer).convert("RGB")
    return picture.convert("RGB")
