"""Convert what a decoder made into RGB as displayed, strip by strip.

Beside the decoder's own picture (1 to 4 bytes a pixel) this needs 3 bytes for each pixel of the result, and
one strip.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from ris.labelstudio.images.metadata import read_orientation

_STRIP_PX = 1 << 20
_ORIENTATION_TRANSPOSES = {
    2: Pillow.Transpose.FLIP_LEFT_RIGHT, 3: Pillow.Transpose.ROTATE_180,
    4: Pillow.Transpose.FLIP_TOP_BOTTOM, 5: Pillow.Transpose.TRANSPOSE,
    6: Pillow.Transpose.ROTATE_270, 7: Pillow.Transpose.TRANSVERSE, 8: Pillow.Transpose.ROTATE_90,
}  # fmt: skip


def render_pixels(picture: Pillow.Image, *, factor: int = 1) -> NDArray[np.uint8]:
    """Convert a decoded image to RGB, upright: uint8 [H, W, 3]. Transparent parts lie on white.

    Args:
        picture: decoded, any mode.
        factor: the image is shrunk by it, each pixel the mean of factor * factor; sides are rounded up.
    """
    width, height = (-(-side // factor) for side in picture.size)
    orientation = find_orientation(picture)
    pixels = np.empty((width, height, 3) if orientation >= 5 else (height, width, 3), np.uint8)
    stored = _view_as_stored(pixels, orientation)
    for row, strip in _iterate_strips(picture, factor):
        rgb = np.asarray(strip if factor == 1 else strip.reduce(factor))
        stored[row // factor : row // factor + len(rgb)] = rgb
    return pixels


def find_orientation(picture: Pillow.Image) -> int:
    """Find how an image must be rotated, as EXIF's orientation, 1 to 8."""
    # Pillow turns a TIFF by itself when it decodes it.
    return 1 if picture.format == "TIFF" else read_orientation(picture.info.get("exif"))


def to_upright(picture: Pillow.Image) -> Pillow.Image:
    """Rotate a decoded image as it is displayed, in its own mode; the result has no orientation tag."""
    turn = _ORIENTATION_TRANSPOSES.get(find_orientation(picture))
    return picture if turn is None else picture.transpose(turn)


def to_rgb(picture: Pillow.Image, *, white: float = 65535) -> Pillow.Image:
    """Convert any mode to RGB: transparent parts on white, deep grey scaled to 8 bits.

    Args:
        picture: decoded.
        white: the value that is white, of modes with deeper grey than 8 bits.
    """
    if is_deep(picture):
        values = np.nan_to_num(np.asarray(picture, np.float64), posinf=white, neginf=0)
        return Pillow.fromarray(np.clip(values * 255 / white, 0, 255).astype(np.uint8)).convert("RGB")
    if "A" in picture.getbands() or "transparency" in picture.info:
        layer = picture.convert("RGBA")
        ground = Pillow.new("RGBA", layer.size, "white")
        return Pillow.alpha_composite(ground, layer).convert("RGB")
    return picture.convert("RGB")


def is_deep(picture: Pillow.Image) -> bool:
    """Tell whether an image is grey with more than 8 bits a pixel."""
    return picture.mode.startswith("I") or picture.mode == "F"


def _view_as_stored(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """View an upright array as the file stores it: what is written into the view is displayed upright."""
    match orientation:
        case 2:
            return pixels[:, ::-1]
        case 3:
            return pixels[::-1, ::-1]
        case 4:
            return pixels[::-1]
        case 5:
            return pixels.swapaxes(0, 1)
        case 6:
            return np.rot90(pixels, 1)
        case 7:
            return pixels[::-1, ::-1].swapaxes(0, 1)
        case 8:
            return np.rot90(pixels, -1)
        case _:
            return pixels


def _iterate_strips(picture: Pillow.Image, factor: int) -> Iterator[tuple[int, Pillow.Image]]:
    """Yield the first row and the RGB pixels of each strip; strips start at multiples of the factor."""
    width, height = picture.size
    white = _find_white(picture)
    n_rows = factor * max(1, _STRIP_PX // (width * factor))
    for row in range(0, height, n_rows):
        yield row, to_rgb(picture.crop((0, row, width, min(row + n_rows, height))), white=white)


def _find_white(picture: Pillow.Image) -> float:
    """Find which value is white: the highest finite one of floating point pixels, else that of 16 bits."""
    if picture.mode != "F":
        return 65535
    width, height = picture.size
    n_rows = max(1, _STRIP_PX // width)
    highest = 1e-9
    for row in range(0, height, n_rows):
        values = np.asarray(picture.crop((0, row, width, min(row + n_rows, height))))
        highest = max(highest, float(values.max(initial=0, where=np.isfinite(values))))
    return highest
