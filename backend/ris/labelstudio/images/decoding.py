"""Decode an image file: the format by content, limits before decoding, EXIF orientation applied once.

All images of people are opened here, whatever is done with them: prediction, click, report, export, import.
"""

import hashlib
import io
import warnings
from dataclasses import dataclass

from PIL import Image as Pillow
from PIL import features

from ris.core.types import Image, Size
from ris.errors import ImageUnreadable
from ris.labelstudio.images.metadata import count_jpeg_scans, drop_metadata
from ris.labelstudio.images.pixels import find_orientation, render_pixels
from ris.labelstudio.images.signatures import describe_unreadable, is_heif
from ris.redaction.messages import describe_error

IMAGE_FORMATS = (
    *("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF"),
    *(["AVIF"] if features.check("avif") else []),
)
WORKING_PIXELS = 16_000_000
"""Larger images are shrunk while they are decoded. Photographs of 12 megapixels are not."""
MAX_SIDE_RATIO = 100
"""Of the longer side to the shorter one. Networks shrink images, and no side may become 0 pixels."""
_MAX_JPEG_SCANS = 64  # encoders write about ten; each costs a pass over all pixels
_SHRINK_FACTORS = (1, 2, 4, 8, 16, 32, 64)  # powers of two, as libjpeg's


def decode_image(data: bytes, *, max_pixels: int) -> Image:
    """Decode an image as displayed: rotated as its EXIF says, RGB, transparent parts on white.

    Of an animation and of an MPO the first frame is decoded. 16-bit grey is scaled to 8 bits. Broken metadata
    is ignored, see `metadata`. An image of more than `WORKING_PIXELS` is shrunk by 2, 4, 8, ...: its `pixels`
    are fewer than its `size` says.

    Args:
        data: the file's bytes.
        max_pixels: limit; checked before the pixels are decoded.

    Raises:
        ImageUnreadable: it is no image of a known format, damaged, or over a limit.
    """
    head = read_head(data, max_pixels=max_pixels)
    picture, _ = _open_and_load(data, max_pixels, head.factor)
    with picture:
        # libjpeg may have shrunk it already.
        done = round(max(head.size) / max(picture.size))
        try:
            pixels = render_pixels(picture, factor=max(1, head.factor // done))
        except Exception as error:  # Pillow raises any error over hostile palettes
            raise ImageUnreadable(f"the colours of the {head.format} picture are damaged: {error}") from error
    return Image(pixels, hashlib.sha256(data).hexdigest(), head.size if head.is_large else None)


def open_image(data: bytes, *, max_pixels: int) -> tuple[Pillow.Image, bytes]:
    """Decode an image without rotating or shrinking it; return it and the bytes that it was read from.

    The bytes differ from `data` if broken metadata had to be removed; the pixels are the same. Close the
    image.

    Raises:
        ImageUnreadable: as for `decode_image`.
    """
    return _open_and_load(data, max_pixels, factor=1)


@dataclass(frozen=True, slots=True)
class ImageHead:
    """What the head of an image file says, before the pixels are decoded.

    Attributes:
        format: Pillow's name of the format.
        size: (height, width) in pixels, as displayed.
    """

    format: str
    size: Size

    @property
    def n_pixels(self) -> int:
        """Height times width."""
        return self.size[0] * self.size[1]

    @property
    def is_large(self) -> bool:
        """Whether the image is shrunk while it is decoded."""
        return self.factor > 1

    @property
    def factor(self) -> int:
        """By how much the image is shrunk to at most `WORKING_PIXELS`."""
        return next(
            (f for f in _SHRINK_FACTORS if self.n_pixels <= WORKING_PIXELS * f * f), _SHRINK_FACTORS[-1]
        )


def read_head(data: bytes, *, max_pixels: int) -> ImageHead:
    """Read an image file's head, without decoding the pixels.

    Raises:
        ImageUnreadable: as for `decode_image`, except for damage that only decoding shows.
    """
    try:
        picture = _open(data, max_pixels)
    except ImageUnreadable:
        picture = _open(drop_metadata(data), max_pixels)
    with picture:
        width, height = picture.size
        is_on_its_side = find_orientation(picture) >= 5
        return ImageHead(picture.format or "", (width, height) if is_on_its_side else (height, width))


def read_displayed_size(data: bytes, *, max_pixels: int) -> Size:
    """Read the size as displayed, (height, width), from the file's head, without decoding the pixels.

    Raises:
        ImageUnreadable: as for `read_head`.
    """
    return read_head(data, max_pixels=max_pixels).size


def _open_and_load(data: bytes, max_pixels: int, factor: int) -> tuple[Pillow.Image, bytes]:
    try:
        return _load(data, max_pixels, factor), data
    except ImageUnreadable:
        lean = drop_metadata(data)
        if lean == data:
            raise
        return _load(lean, max_pixels, factor), lean


def _load(data: bytes, max_pixels: int, factor: int) -> Pillow.Image:
    picture = _open(data, max_pixels)
    try:
        if factor > 1:  # libjpeg decodes to a half, a quarter or an eighth; other formats ignore this
            picture.draft(None, (picture.width // factor, picture.height // factor))
        picture.load()
        _drop_excess_transparency(picture)
    except Exception as error:
        picture.close()
        raise ImageUnreadable(
            f"the {picture.format} picture is damaged or cut short: {describe_error(error)}"
        ) from error
    return picture


def _drop_excess_transparency(picture: Pillow.Image) -> None:
    """Ignore the transparency of more colours than the palette has, as libpng does and so browsers."""
    alphas = picture.info.get("transparency")
    if (
        picture.mode == "P"
        and isinstance(alphas, bytes)
        and 3 * len(alphas) > len(picture.getpalette() or [])
    ):
        del picture.info["transparency"]


def _open(data: bytes, max_pixels: int) -> Pillow.Image:
    formats = _choose_formats(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # about broken metadata, which is ignored
            warnings.simplefilter("ignore", Pillow.DecompressionBombWarning)  # `_check_size` has our limit
            picture = Pillow.open(io.BytesIO(data), formats=formats)
    except Pillow.DecompressionBombError as error:
        raise ImageUnreadable(f"the picture is far too large: {describe_error(error)}") from error
    except Exception as error:  # Pillow's plugins raise any error over hostile bytes
        raise ImageUnreadable(describe_unreadable(data, IMAGE_FORMATS)) from error
    try:
        _check_limits(picture, data, max_pixels)
    except ImageUnreadable:
        picture.close()
        raise
    return picture


def _check_limits(picture: Pillow.Image, data: bytes, max_pixels: int) -> None:
    width, height = picture.size
    if min(width, height) < 1:
        raise ImageUnreadable(f"the picture has {width} x {height} pixels, so it shows nothing")
    if width * height > max_pixels:
        raise ImageUnreadable(
            f"the picture has {width} x {height} = {width * height / 1e6:.0f} megapixels, "
            f"{max_pixels / 1e6:.0f} are the limit; set RIS_MAX_IMAGE_PIXELS if that is meant"
        )
    if max(width, height) > MAX_SIDE_RATIO * min(width, height):
        raise ImageUnreadable(
            f"the picture has {width} x {height} pixels; its longer side may be at most "
            f"{MAX_SIDE_RATIO} times its shorter side; cut it into parts"
        )
    if picture.format in ("JPEG", "MPO") and (n_scans := count_jpeg_scans(data)) > _MAX_JPEG_SCANS:
        raise ImageUnreadable(
            f"the JPEG picture has {n_scans} scans, {_MAX_JPEG_SCANS} are the limit; save it anew"
        )


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
