"""In which frame a model writes coordinates, and how they become pixels of the image as displayed."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ris.core.types import Size

FrameKind = Literal["share", "sent", "resized", "padded", "centred"]
Point = tuple[float, float]

_RESIZED_MULTIPLE = 28  # Qwen2.5-VL: patches of 14, merged two by two
_RESIZED_MIN_PX, _RESIZED_MAX_PX = 3_136, 12_845_056  # its preprocessor_config.json
_TOLERANCE = 0.005  # of a side: rounding of the model, not worth a note


@dataclass(frozen=True, slots=True)
class Reading:
    """A way to read coordinates.

    Attributes:
        frame: "share": parts of width and height. "sent": pixels of the picture as sent. "resized": pixels
            after Qwen2.5-VL's rounding of the sides. "padded": parts of the longest side, the picture in the
            upper left of a square. "centred": the same, the picture in the middle of the square.
        extent: what the whole side is, e.g. 1000; not used for pixels.
        is_row_first: whether y comes before x.
        offset: added to every coordinate; 0.5 where bins are written.
        gain, shift: measured drift in x and y, in shares of the sides: written = gain * true + shift.
    """

    frame: FrameKind = "share"
    extent: float = 1000.0
    is_row_first: bool = False
    offset: float = 0.0
    gain: Point = (1.0, 1.0)
    shift: Point = (0.0, 0.0)

    def to_shares(self, numbers: tuple[float, ...], sent: Size) -> Iterator[Point]:
        """Convert pairs of coordinates to shares of width and height; [0, 1] is the image.

        Args:
            numbers: pairs in the order that the model writes.
            sent: (height, width) of the picture as sent, in pixels.
        """
        for one, two in zip(numbers[::2], numbers[1::2], strict=True):
            x, y = (two, one) if self.is_row_first else (one, two)
            x, y = self._to_share(x + self.offset, y + self.offset, sent)
            yield (x - self.shift[0]) / self.gain[0], (y - self.shift[1]) / self.gain[1]

    def _to_share(self, x: float, y: float, sent: Size) -> Point:
        height, width = sent
        if self.frame == "share":
            return x / self.extent, y / self.extent
        if self.frame == "sent":
            return x / width, y / height
        if self.frame == "resized":
            rows, columns = compute_resized_size(sent)
            return x / columns, y / rows
        longest = max(height, width)
        x, y = x / self.extent * longest, y / self.extent * longest
        if self.frame == "centred":
            x, y = x - (longest - width) / 2, y - (longest - height) / 2
        return x / width, y / height

    def __str__(self) -> str:
        order = "y before x" if self.is_row_first else "x before y"
        if self.frame in ("sent", "resized"):
            where = (
                "pixels of the picture as sent" if self.frame == "sent" else "pixels of the resized picture"
            )
            return f"{where}, {order}"
        of = "width and height" if self.frame == "share" else f"the longest side, {self.frame}"
        return f"0 to {self.extent:g} of {of}, {order}"


def compute_resized_size(size: Size) -> Size:
    """Compute the size to which Qwen2.5-VL's processor resizes a picture: (height, width).

    Both sides are rounded to multiples of 28 within the published limits of pixels. Source: `smart_resize` in
    transformers' image_processing_qwen2_vl.py.
    """
    height, width = size
    multiple = _RESIZED_MULTIPLE
    rows, columns = (max(multiple, round(side / multiple) * multiple) for side in size)
    if rows * columns > _RESIZED_MAX_PX:
        scale = math.sqrt(height * width / _RESIZED_MAX_PX)
        rows, columns = (max(multiple, math.floor(side / scale / multiple) * multiple) for side in size)
    elif rows * columns < _RESIZED_MIN_PX:
        scale = math.sqrt(_RESIZED_MIN_PX / (height * width))
        rows, columns = (math.ceil(side * scale / multiple) * multiple for side in size)
    return rows, columns


def is_far_outside(point: Point) -> bool:
    """Tell whether a point, in shares of the sides, lies outside of the image by more than rounding."""
    return any(not -_TOLERANCE <= value <= 1 + _TOLERANCE for value in point)
