"""Decode an image file: the format by content, limits before decoding, EXIF orientation applied once."""

import hashlib
import io
import warnings

import numpy as np
from PIL import Image as Pillow
from PIL import features

from ris.core.types import Image
from ris.errors import ImageUnreadable
from ris.labelstudio.images.metadata import drop_metadata, read_orientation
from ris.labelstudio.images.signatures import describe_unreadable, is_heif
from ris.redaction.messages import describe_error

IMAGE_FORMATS = (
    *("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF"),
    *(["AVIF"] if features.check("avif") else []),
)
_ORIENTATION_TRANSPOSES = {
    2: Pillow.Transpose.FLIP_LEFT_RIGHT, 3: Pillow.Transpose.ROTATE_180,
    4: Pillow.Transpose.FLIP_TOP_BOTTOM, 5: Pillow.Transpose.TRANSPOSE,
    6: Pillow.Transpose.ROTATE_270, 7: Pillow.Transpose.TRANSVERSE, 8: Pillow.Transpose.ROTATE_90,
}  # fmt: skip


def decode_image(data: bytes, *, max_pixels: int) -> Image:
    """Decode an image as displayed: rotated as its EXIF says, RGB, transparent parts on white.

    Of an animation and of an MPO the first frame is decoded. 16-bit grey is scaled to 8 bits. Broken metadata
    is ignored, see `metadata`.

    Args:
        data: the file's bytes.
        max_pixels: limit; checked before the pixels are decoded.

    Raises:
        ImageUnreadable: it is no image of a known format, damaged, or over the limit.
    """
    picture, _ = open_image(data, max_pixels=max_pixels)
    with picture:
        pixels = np.array(to_rgb(to_upright(picture)))
    return Image(pixels, hashlib.sha256(data).hexdigest())


def open_image(data: bytes, *, max_pixels: int) -> tuple[Pillow.Image, bytes]:
    """Decode an image without rotating it; return it and the bytes that it was read from. Close it.

    The bytes differ from `data` if broken metadata had to be removed; the pixels are the same.

    Raises:
        ImageUnreadable: as for `decode_image`.
    """
    try:
        return _load(data, max_pixels), data
    except ImageUnreadable:
        lean = drop_metadata(data)
        if lean == data:
            raise
        return _load(lean, max_pixels), lean


def read_displayed_size(data: bytes, *, max_pixels: int) -> tuple[int, int]:
    """Read the size as displayed, (height, width), from the file's head, without decoding the pixels.

    Raises:
        ImageUnreadable: as for `decode_image`, except for damage that only decoding shows.
    """
    try:
        picture = _open(data, max_pixels)
    except ImageUnreadable:
        picture = _open(drop_metadata(data), max_pixels)
    with picture:
        width, height = picture.size
        is_on_its_side = picture.format != "TIFF" and read_orientation(picture.info.get("exif")) >= 5
    return (width, height) if is_on_its_side else (height, width)


def to_upright(picture: Pillow.Image) -> Pillow.Image:
    """Rotate a decoded image as it is displayed; the result has no orientation tag."""
    # Pillow turns a TIFF by itself when it decodes it.
    turn = (
        _ORIENTATION_TRANSPOSES.get(read_orientation(picture.info.get("exif")))
        if picture.format != "TIFF"
        else None
    )
    return picture if turn is None else picture.transpose(turn)


def to_rgb(picture: Pillow.Image) -> Pillow.Image:
    """Convert any mode to RGB: transparent parts on white, 16 bits scaled to 8."""
    if picture.mode.startswith("I") or picture.mode == "F":
        values = np.asarray(picture, np.float64)
        top = 65535 if picture.mode.startswith("I") else max(float(values.max()), 1e-9)
        return Pillow.fromarray(np.clip(values * 255 / top, 0, 255).astype(np.uint8)).convert("RGB")
    if "A" in picture.getbands() or "transparency" in picture.info:
        layer = picture.convert("RGBA")
        ground = Pillow.new("RGBA", layer.size, "white")
        return Pillow.alpha_composite(ground, layer).convert("RGB")
    return picture.convert("RGB")


def _load(data: bytes, max_pixels: int) -> Pillow.Image:
    picture = _open(data, max_pixels)
    try:
        picture.load()
    except Exception as error:
        picture.close()
        raise ImageUnreadable(
            f"the {picture.format} picture is damaged or cut short: {describe_error(error)}"
        ) from error
    return picture


def _open(data: bytes, max_pixels: int) -> Pillow.Image:
    formats = _choose_formats(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # about broken metadata, which is ignored
            warnings.simplefilter("error", Pillow.DecompressionBombWarning)
            picture = Pillow.open(io.BytesIO(data), formats=formats)
    except (Pillow.DecompressionBombError, Pillow.DecompressionBombWarning) as error:
        raise ImageUnreadable(f"the picture is far too large: {describe_error(error)}") from error
    except Exception as error:  # Pillow's plugins raise any error over hostile bytes
        raise ImageUnreadable(describe_unreadable(data, IMAGE_FORMATS)) from error
    width, height = picture.size
    if width * height > max_pixels:
        picture.close()
        raise ImageUnreadable(
            f"the picture has {width} x {height} = {width * height / 1e6:.0f} megapixels, "
            f"{max_pixels / 1e6:.0f} are the limit; set RIS_MAX_IMAGE_PIXELS if that is meant"
        )
    return picture


def _choose_formats(data: bytes) -> tuple[str, ...]:
    if not is_heif(data):
        return IMAGE_FORMATS
    try:
        from pillow_heif import register_heif_opener
    except ImportError as error:
        raise ImageUnreadable(
            "the picture is HEIC, which needs one package more: "
            "pip install 'referring-segmentation-backend[heic]'"
        ) from error
    register_heif_opener()
    return ("HEIF",)
