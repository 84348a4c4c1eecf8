"""The eleven basic colours of a picture's pixels, each dark, medium or light.

The terms are those of Berlin and Kay, "Basic Color Terms", 1969. The borders between them are ours, in hue,
saturation and value: van de Weijer et al. (2009) learned a finer map from photographs, which is not a part of
any library that we use.
"""

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

BASIC_COLOURS = (
    "black", "grey", "white", "red", "orange", "brown", "yellow", "green", "blue", "purple", "pink",
)  # fmt: skip
SHADE_NAMES = ("dark", "medium", "light")

# Other words for the same, as a colour and a shade; "" for any shade.
COLOUR_WORDS: dict[str, tuple[str, str]] = {
    **{name: (name, "") for name in BASIC_COLOURS},
    "gray": ("grey", ""), "silver": ("grey", ""), "golden": ("yellow", ""), "gold": ("yellow", ""),
    "violet": ("purple", ""), "navy": ("blue", "dark"), "maroon": ("red", "dark"), "scarlet": ("red", ""),
    "tan": ("brown", "light"), "beige": ("brown", "light"), "turquoise": ("blue", "light"),
    "blonde": ("yellow", ""), "blond": ("yellow", ""), "crimson": ("red", ""), "magenta": ("pink", ""),
    "colorless": ("white", ""),
}  # fmt: skip
_DARK_L, _LIGHT_L = 38.0, 66.0


def name_pixels(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Name the colour and the shade of each pixel.

    Args:
        pixels: uint8 [H, W, 3], RGB.

    Returns:
        uint8 [H, W]: three times the index in `BASIC_COLOURS`, plus the index in `SHADE_NAMES`.
    """
    scaled = pixels.astype(np.float32) / 255
    hue, saturation, value = np.moveaxis(np.asarray(cv2.cvtColor(scaled, cv2.COLOR_RGB2HSV)), -1, 0)
    lightness = np.asarray(cv2.cvtColor(scaled, cv2.COLOR_RGB2LAB))[..., 0]
    is_grey = (saturation < 0.12) | (saturation * value < 0.1)
    is_pale = saturation < 0.45
    rules = (
        ("black", (value < 0.16) | (is_grey & (value < 0.27))),
        ("white", is_grey & (value > 0.8)),
        ("grey", is_grey),
        ("pink", ((hue >= 316) & (hue < 342)) | ((hue >= 285) & (hue < 316) & (value > 0.85))),
        ("pink", ((hue >= 342) | (hue < 14)) & (saturation < 0.6) & (value > 0.7)),
        ("brown", (hue >= 9) & (hue < 44) & ((value < 0.68) | is_pale)),
        ("red", (hue >= 342) | (hue < 14)),
        ("orange", hue < 42),
        ("yellow", hue < 66),
        ("green", hue < 172),
        ("blue", hue < 256),
        ("purple", hue >= 256),
    )
    names = np.select(
        [rule for _, rule in rules], [np.uint8(BASIC_COLOURS.index(name)) for name, _ in rules]
    )  # fmt: skip
    shades = (lightness >= _DARK_L).astype(np.uint8) + (lightness >= _LIGHT_L)
    return np.asarray(3 * names + shades, np.uint8)


def count_colours(pixels: NDArray[np.uint8], masks: Iterable[NDArray[np.bool_]]) -> NDArray[np.float32]:
    """Count the shares of the colours in N masks.

    Args:
        pixels: uint8 [H, W, 3], RGB.
        masks: N of bool [H, W], none of them empty.

    Returns:
        float32 [N, 11, 3]: by colour and shade; each sums to 1.
    """
    named = name_pixels(pixels)
    counts = [np.bincount(named[mask], minlength=3 * len(BASIC_COLOURS)) for mask in masks]
    shares = [count / max(int(count.sum()), 1) for count in counts]
    return np.array(shares, np.float32).reshape(-1, len(BASIC_COLOURS), len(SHADE_NAMES))
