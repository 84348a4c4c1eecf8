"""Sprites: cut-out things that can be painted in any colour. They are in an atlas, so no font is needed."""

import colorsys
import functools
import json
import random
from importlib import resources

import numpy as np
from PIL import Image

COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (225, 35, 40),
    "orange": (250, 140, 20),
    "yellow": (250, 220, 40),
    "green": (50, 165, 60),
    "blue": (45, 95, 225),
    "purple": (125, 45, 185),
    "pink": (252, 130, 190),
    "white": (240, 240, 240),
    "black": (45, 45, 50),
}

# Only shades that people call by the name of the colour: dark orange is brown, light red is pink.
SHADES: dict[str, tuple[str, ...]] = {
    "red": ("dark",),
    "green": ("dark", "light"),
    "blue": ("dark", "light"),
    "purple": ("dark", "light"),
}

_LUMA = np.array([0.30, 0.59, 0.11], np.float32)


@functools.cache
def _read_cells() -> dict[str, list[int]]:
    text = resources.files("ris.tinyworld").joinpath("sprites.json").read_text(encoding="utf-8")
    return {str(noun): list(cell) for noun, cell in json.loads(text).items()}


@functools.cache
def _load_atlas() -> np.ndarray:
    with resources.files("ris.tinyworld").joinpath("sprites.png").open("rb") as file:
        return np.asarray(Image.open(file).convert("RGBA"))


NOUNS: tuple[str, ...] = tuple(_read_cells())


def choose_tint(colour: str, shade: str | None, rng: random.Random) -> np.ndarray:
    """Choose an RGB tone that people call by this name.

    Args:
        colour: one of `COLOURS`.
        shade: one that the colour has in `SHADES`, or None.
        rng: chooses the tone.

    Returns:
        float32 [3], 0 to 255.

    Raises:
        ValueError: the colour has no such shade.
    """
    if shade is not None and shade not in SHADES.get(colour, ()):
        raise ValueError(f"{colour} has no shade {shade!r}; it has {SHADES.get(colour, ())}")
    hue, saturation, value = colorsys.rgb_to_hsv(*(channel / 255 for channel in COLOURS[colour]))
    hue += rng.uniform(-0.014, 0.014)
    if colour not in ("white", "black"):
        # A pale red is pink, so red stays saturated.
        saturation *= rng.uniform(0.96 if colour == "red" else 0.86, 1.1)
    # A plain tone is clearly different from both shades, so that "the dark red one" is unambiguous.
    low, high = {None: (0.86, 1.1), "dark": (0.48, 0.58), "light": (1.1, 1.25)}[shade]
    if colour in ("purple", "pink") and shade is None:
        low = 0.95  # purple is dark already, and a dark pink is a dull red
    value *= rng.uniform(low, high)
    rgb = np.array(colorsys.hsv_to_rgb(hue % 1, min(saturation, 1), min(value, 1)), np.float32) * 255
    if shade == "light":
        rgb += (255 - rgb) * rng.uniform(0.42, 0.55)
    return rgb


@functools.cache
def _get_glyph(noun: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Read a glyph: RGB, alpha, stretched luminance (0 to 255) and its median (0 to 1)."""
    x, y, width, height = _read_cells()[noun]
    pixels = _load_atlas()[y : y + height, x : x + width]
    rgb = pixels[..., :3].astype(np.float32)
    alpha = np.where(pixels[..., 3] < 60, 0, pixels[..., 3]).astype(np.float32)
    luminance = rgb @ _LUMA / 255
    visible = alpha > 128
    low, high = np.percentile(luminance[visible], [3, 97])
    stretched = np.clip((luminance - low) / max(high - low, 0.15), 0, 1)
    median = float(np.clip(np.median(stretched[visible]), 0.35, 0.9))
    return rgb, alpha, np.round(stretched * 255).astype(np.uint8), median


def _make_ramp(tone: np.ndarray, median: float, colour: str, shade: str | None) -> np.ndarray:
    """Make a table of colours by luminance, float32 [256, 3]; the median luminance gets the tone itself."""
    lift = 0.20 if colour == "red" or shade == "dark" else 0.42  # with more, they look pink or grey
    dark, light = tone * 0.30, tone + (255 - tone) * lift
    if colour == "black":
        light = tone + 60
    if colour == "white":
        dark = tone * 0.55
    level = np.linspace(0, 1, 256, dtype=np.float32)[:, None]
    below = dark + (tone - dark) * (level / median)
    above = tone + (light - tone) * ((level - median) / (1 - median))
    return np.where(level < median, below, above).astype(np.float32)


def draw_sprite(noun: str, colour: str | None, shade: str | None, rng: random.Random) -> np.ndarray:
    """Draw a cut-out thing, float32 [h, w, 4] (RGBA), 0 to 255, with a longest side of about 110 px.

    Args:
        noun: one of `NOUNS`.
        colour: one of `COLOURS`; None leaves the thing in its natural colours.
        shade: one that the colour has in `SHADES`, or None.
        rng: chooses the tone.
    """
    rgb, alpha, luminance, median = _get_glyph(noun)
    if colour is not None:
        natural = 0.0 if colour in ("white", "black") else 0.07  # a small share of the drawn hues
        rgb = (_make_ramp(choose_tint(colour, shade, rng), median, colour, shade) * (1 - natural))[
            luminance
        ] + rgb * natural
    return np.dstack([np.clip(rgb, 0, 255), alpha])
