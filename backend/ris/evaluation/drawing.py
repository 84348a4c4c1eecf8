"""Draw masks and heat maps over images."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from ris.core import rle
from ris.core.rle import RLE
from ris.core.types import Image, Suggestion

MASK_COLOURS = ((228, 26, 28), (55, 126, 184), (77, 175, 74), (152, 78, 163), (255, 127, 0), (166, 86, 40))
FINAL_COLOUR = (255, 215, 0)
HOT_COLOUR = (255, 190, 60)
OPACITY = 0.35
MIN_SIDE_PX = 480  # smaller images are enlarged, so that the numbers are legible
MAX_ENLARGED_PX = 4096  # no side becomes longer by that: pictures of one row exist
PANE_SIZE = (320, 260)  # width and height in pixels of one picture of a pane
LEGEND_PX = 120  # width of the scale of a heat map
FONT = ImageFont.load_default(size=15)


def draw_alternatives(image: Image, suggestions: Sequence[Suggestion], path: Path) -> None:
    """Draw the alternatives over their image, numbered by rank from 1, and write the picture to a file.

    Args:
        image: the image.
        suggestions: the alternatives, best first.
        path: the file; its extension decides the format. Missing folders are created.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draw_masks(image.pixels, [s.mask for s in suggestions]).save(path)


def draw_heat(
    image: Image, heat: NDArray[np.uint8], suggestions: Sequence[Suggestion], path: Path, *, caption: str
) -> None:
    """Draw a heat map over the grey image, with the alternatives, a legend and a caption, to a file.

    Args:
        image: the image.
        heat: uint8 [G, G], stretched over the whole image; 255 is the hottest.
        suggestions: the alternatives, best first; each is outlined and numbered by its rank from 1.
        path: the file; its extension decides the format. Missing folders are created.
        caption: what the map is of.
    """
    height, width = image.pixels.shape[:2]
    factor = max(1.0, min(MIN_SIDE_PX / min(height, width), MAX_ENLARGED_PX / max(height, width)))
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    hot = np.asarray(Pillow.fromarray(heat).resize(size, Pillow.Resampling.BICUBIC), np.float32)[..., None]
    grey = np.asarray(Pillow.fromarray(image.pixels).convert("L").resize(size), np.float32)[..., None]
    pixels = 0.45 * grey + 0.55 * hot / 255 * np.array(HOT_COLOUR, np.float32)
    canvas = np.clip(pixels, 0, 255).astype(np.uint8)
    dense = [
        np.asarray(Pillow.fromarray(rle.decode_rle(s.mask)).resize(size, Pillow.Resampling.NEAREST))
        for s in suggestions
    ]
    for i in reversed(range(len(dense))):
        canvas[_find_rim(dense[i], 2)] = MASK_COLOURS[i % len(MASK_COLOURS)]
    picture = Pillow.fromarray(canvas)
    for i in reversed(range(len(dense))):
        _draw_number(picture, dense[i], str(i + 1), MASK_COLOURS[i % len(MASK_COLOURS)])
    path.parent.mkdir(parents=True, exist_ok=True)
    _add_legend(picture, caption).save(path)


def _add_legend(picture: Pillow.Image, caption: str) -> Pillow.Image:
    """Add a strip below a heat map: its caption, and the colours from the lowest to the highest value."""
    lines = textwrap.wrap(caption, max(picture.width // 8, 20))[:4]
    strip_px = 20 * len(lines) + 34
    whole = Pillow.new("RGB", (picture.width, picture.height + strip_px), "white")
    whole.paste(picture, (0, 0))
    draw = ImageDraw.Draw(whole)
    for i, line in enumerate(lines):
        draw.text((6, picture.height + 4 + 20 * i), line, fill="black", font=FONT)
    top = picture.height + 20 * len(lines) + 8
    draw.text((6, top), "low", fill="black", font=FONT)
    for x in range(LEGEND_PX):
        share = x / (LEGEND_PX - 1)
        colour = tuple(round(0.45 * 128 + 0.55 * share * value) for value in HOT_COLOUR)
        draw.line((40 + x, top, 40 + x, top + 16), fill=colour)
    draw.text((48 + LEGEND_PX, top), "high", fill="black", font=FONT)
    return whole


def draw_masks(
    pixels: NDArray[np.uint8],
    masks: Sequence[RLE],
    colours: Sequence[tuple[int, int, int]] = MASK_COLOURS,
    *,
    factor: float | None = None,
) -> Pillow.Image:
    """Draw masks over an image, each filled, outlined and numbered.

    Args:
        pixels: uint8 [H, W, 3], RGB.
        masks: masks of size (H, W), numbered from 1 in this order; the first is drawn on top.
        colours: RGB colours of the masks, repeated if there are more masks.
        factor: size of the picture relative to the image; None enlarges the image so that its shorter side
            has at least `MIN_SIDE_PX` pixels.

    Returns:
        An RGB picture of about factor * W by factor * H pixels.
    """
    height, width = pixels.shape[:2]
    factor = factor or max(1.0, min(MIN_SIDE_PX / min(height, width), MAX_ENLARGED_PX / max(height, width)))
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    canvas = np.asarray(Pillow.fromarray(pixels).resize(size, Pillow.Resampling.LANCZOS)).astype(np.float32)
    dense = [
        np.asarray(Pillow.fromarray(rle.decode_rle(mask)).resize(size, Pillow.Resampling.NEAREST))
        for mask in masks
    ]
    for i in reversed(range(len(dense))):  # the first mask is drawn last, on top
        colour = np.array(colours[i % len(colours)], np.float32)
        canvas[dense[i]] = (1 - OPACITY) * canvas[dense[i]] + OPACITY * colour
        canvas[_find_rim(dense[i], 2)] = colour
    picture = Pillow.fromarray(np.round(canvas).astype(np.uint8))
    for i in reversed(range(len(dense))):
        _draw_number(picture, dense[i], str(i + 1), colours[i % len(colours)])
    return picture


def _find_rim(mask: NDArray[np.bool_], width: int) -> NDArray[np.bool_]:
    """Return the pixels of a mask that lie at most `width` pixels from its edge; bool [H, W]."""
    inner = mask
    for _ in range(width):
        padded = np.pad(inner, 1)
        inner = inner & padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return mask & ~inner


def _draw_number(
    picture: Pillow.Image, mask: NDArray[np.bool_], text: str, colour: tuple[int, int, int]
) -> None:
    """Draw a numbered badge at the pixel of the mask that is nearest to its centroid."""
    rows, columns = np.nonzero(mask)
    if not len(rows):
        return
    nearest = int(np.argmin((rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2))
    x = min(max(int(columns[nearest]), 11), picture.width - 12)
    y = min(max(int(rows[nearest]), 11), picture.height - 12)
    draw = ImageDraw.Draw(picture)
    draw.ellipse((x - 11, y - 11, x + 11, y + 11), fill=colour, outline="white", width=2)
    draw.text((x, y), text, fill="white", font=FONT, anchor="mm")


@dataclass(frozen=True, slots=True, eq=False)
class Pane:
    """One entry of a contact sheet.

    Attributes:
        pixels: the image, uint8 [H, W, 3], RGB.
        alternatives: their masks, best first.
        final: the mask of the annotator; None without one.
        lines: lines of text below the pictures.
    """

    pixels: NDArray[np.uint8]
    alternatives: Sequence[RLE]
    final: RLE | None
    lines: Sequence[str]


def draw_contact_sheet(panes: Sequence[Pane], path: Path, *, columns: int = 3) -> None:
    """Write all panes to one file, as a grid.

    Each pane has the alternatives on the left and the final mask on the right.
    """
    drawn = [_draw_pane(pane) for pane in panes]
    width, height = max(p.width for p in drawn), max(p.height for p in drawn)
    rows = -(-len(drawn) // columns)
    sheet = Pillow.new("RGB", (columns * (width + 12) + 12, rows * (height + 12) + 12), "white")
    for i, picture in enumerate(drawn):
        sheet.paste(picture, (12 + i % columns * (width + 12), 12 + i // columns * (height + 12)))
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path)


def _draw_pane(pane: Pane) -> Pillow.Image:
    height, width = pane.pixels.shape[:2]
    factor = min(PANE_SIZE[0] / width, PANE_SIZE[1] / height)
    left = draw_masks(pane.pixels, pane.alternatives, factor=factor)
    right = draw_masks(pane.pixels, [pane.final] if pane.final else [], [FINAL_COLOUR], factor=factor)
    picture = Pillow.new("RGB", (2 * PANE_SIZE[0] + 4, PANE_SIZE[1] + 18 * len(pane.lines) + 6), "white")
    picture.paste(left, (0, 0))
    picture.paste(right, (left.width + 4, 0))
    draw = ImageDraw.Draw(picture)
    for i, line in enumerate(pane.lines):
        draw.text((2, left.height + 3 + 18 * i), line, fill="black" if i == 0 else (90, 90, 90), font=FONT)
    return picture
