"""Draw the sprites from the font Noto Color Emoji: `python -m training.draw_sprites --font FILE`.

A maintainer runs this once; the program needs no font.
"""

import argparse
import json
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

SPRITES = Path("backend/ris/tinyworld")
CELL = 112
_COLUMNS = 8
BITMAP_SIZE = 109  # the only size in the font

GLYPHS = {
    "dog": "🐕", "cat": "🐈", "horse": "🐎", "cow": "🐄", "pig": "🐖", "sheep": "🐑", "elephant": "🐘",
    "rabbit": "🐇", "turtle": "🐢", "fish": "🐟", "bird": "🐦", "duck": "🦆", "butterfly": "🦋",
    "snail": "🐌", "owl": "🦉", "frog": "🐸", "car": "🚗", "bus": "🚌", "truck": "🚚", "bicycle": "🚲",
    "boat": "⛵", "plane": "✈", "rocket": "🚀", "tractor": "🚜", "apple": "🍎", "banana": "🍌",
    "cake": "🎂", "pizza": "🍕", "burger": "🍔", "carrot": "🥕", "cup": "☕", "chair": "🪑",
    "umbrella": "☂", "guitar": "🎸", "clock": "⏰", "key": "🔑", "book": "📕", "ball": "⚽",
    "balloon": "🎈", "gift": "🎁", "hat": "🎩", "shirt": "👕", "shoe": "👟", "backpack": "🎒",
    "camera": "📷", "robot": "🤖", "star": "⭐", "tree": "🌳", "cactus": "🌵", "flower": "🌷",
    "mushroom": "🍄", "house": "🏠", "tent": "⛺", "teapot": "🫖", "man": "🕺", "woman": "💃",
    "boy": "👦", "girl": "👧", "baby": "👶", "snowman": "⛄", "bear": "🧸", "dress": "👗", "heart": "❤",
    "laptop": "💻",
}  # fmt: skip


def draw(font: ImageFont.FreeTypeFont, glyph: str) -> Image.Image:
    """Draw a glyph, cropped to its visible part and resized to a cell with a margin of one pixel."""
    canvas = Image.new("RGBA", (160, 160))
    ImageDraw.Draw(canvas).text((8, 8), glyph, font=font, embedded_color=True)
    cut = canvas.crop(canvas.getbbox())
    scale = (CELL - 2) / max(cut.size)
    width, height = (max(1, round(side * scale)) for side in cut.size)
    return cut.resize((width, height), Image.Resampling.LANCZOS)


def draw_atlas(font: ImageFont.FreeTypeFont) -> tuple[Image.Image, dict[str, list[int]]]:
    """Draw all glyphs in one image, and record noun -> x, y, width, height."""
    rows = -(-len(GLYPHS) // _COLUMNS)
    atlas = Image.new("RGBA", (_COLUMNS * CELL, rows * CELL))
    cells = {}
    for number, (noun, glyph) in enumerate(GLYPHS.items()):
        sprite = draw(font, glyph)
        x, y = number % _COLUMNS * CELL + 1, number // _COLUMNS * CELL + 1
        atlas.paste(sprite, (x, y))
        cells[noun] = [x, y, *sprite.size]
    return atlas, cells


def main() -> None:
    """Write the atlas and its index."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--font", type=Path, required=True, help="NotoColorEmoji.ttf with bitmap strikes")
    parser.add_argument("--out", type=Path, default=SPRITES, help="folder of sprites.png")
    arguments = parser.parse_args()
    atlas, cells = draw_atlas(ImageFont.truetype(str(arguments.font), BITMAP_SIZE))
    atlas.save(arguments.out / "sprites.png", optimize=True)
    lines = ",\n".join(f"  {json.dumps(noun)}: {json.dumps(cell)}" for noun, cell in cells.items())
    (arguments.out / "sprites.json").write_text("{\n" + lines + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
