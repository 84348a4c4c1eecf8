"""Set-of-marks: outlines and numbers drawn on a picture, so that a model can name a mask by its number.

Source: Yang et al., "Set-of-Mark Prompting Unleashes Extraordinary Visual Grounding in GPT-4V",
arXiv:2310.11441.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from ris.core.boxes import compute_box
from ris.core.types import Size

# Of each number, RGB. They are far apart, also after a picture was compressed.
MARK_COLOURS = (
    (255, 0, 255), (0, 255, 255), (255, 160, 0), (0, 255, 0), (255, 0, 0), (0, 90, 255),
)  # fmt: skip
_LINE_SHARE = 1 / 280  # of the longer side
_TEXT_SHARE = 1 / 28


def draw_marks(
    pixels: NDArray[np.uint8], masks: Sequence[NDArray[np.bool_]], size: Size
) -> NDArray[np.uint8]:
    """Draw the outline of each mask and its number, from 1, on a picture: uint8 [h, w, 3].

    A number stands on the pixel of its mask that is farthest from the outline. The masks may overlap.

    Args:
        pixels: uint8 [H, W, 3], RGB.
        masks: up to six of bool [H', W'], not empty; another size than that of the picture is squashed.
        size: (height, width) of the result.
    """
    height, width = size
    resized = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
    drawn: NDArray[np.uint8] = np.ascontiguousarray(resized, np.uint8)
    line = max(2, round(max(size) * _LINE_SHARE))
    squashed: list[NDArray[np.uint8]] = [_squash(mask, size) for mask in masks]
    for mask, colour in zip(squashed, MARK_COLOURS, strict=False):
        outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(drawn, outlines, -1, (0, 0, 0), line + 2)
        cv2.drawContours(drawn, outlines, -1, colour, line)
    for number, (mask, colour) in enumerate(zip(squashed, MARK_COLOURS, strict=False), 1):
        _draw_number(drawn, str(number), mask, colour)
    return drawn


def _squash(mask: NDArray[np.bool_], size: Size) -> NDArray[np.uint8]:
    grey = cv2.resize(255 * mask.view(np.uint8), size[::-1], interpolation=cv2.INTER_AREA)
    # A thin mask keeps its best pixels; one that vanished keeps the middle of its box.
    limit = min(128, int(grey.max()))
    if limit:
        return np.asarray(grey >= limit, np.uint8)
    x1, y1, x2, y2 = compute_box(mask)
    grey[(y1 + y2) * size[0] // (2 * mask.shape[0]), (x1 + x2) * size[1] // (2 * mask.shape[1])] = 1
    return np.asarray(grey, np.uint8)


def _draw_number(
    drawn: NDArray[np.uint8], text: str, mask: NDArray[np.uint8], colour: tuple[int, int, int]
) -> None:
    depth = cv2.distanceTransform(np.pad(mask, 1), cv2.DIST_L2, 3)[1:-1, 1:-1]
    y, x = (int(value) for value in np.unravel_index(int(depth.argmax()), depth.shape))
    height, width = mask.shape
    scale = max(height, width) * _TEXT_SHARE / 22  # a digit is about 22 pixels high at scale 1
    thickness = max(1, round(2 * scale))
    (text_width, text_height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, thickness)
    pad = max(2, text_height // 4)
    left = min(max(x - text_width // 2, pad), max(width - text_width - pad, pad))
    bottom = min(max(y + text_height // 2, text_height + pad), max(height - pad, text_height + pad))
    corner = (left + text_width + pad, bottom + pad)
    cv2.rectangle(drawn, (left - pad, bottom - text_height - pad), corner, (0, 0, 0), -1)
    cv2.putText(drawn, text, (left, bottom), cv2.FONT_HERSHEY_SIMPLEX, scale, colour, thickness, cv2.LINE_AA)
