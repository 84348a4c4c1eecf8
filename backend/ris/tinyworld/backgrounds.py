"""Backgrounds of scenes: some have colour and texture only, some have lines as distractors."""

import random
from collections.abc import Callable

import cv2
import numpy as np
from PIL import Image, ImageDraw

Tone = tuple[float, float, float]

# colours of the far part and of the near part, RGB
OPEN_BACKGROUNDS: dict[str, tuple[Tone, Tone]] = {
    "grass": ((150, 205, 245), (120, 190, 90)),
    "beach": ((140, 210, 240), (235, 215, 160)),
    "snow": ((190, 210, 230), (238, 242, 248)),
    "street": ((185, 200, 215), (130, 130, 135)),
    "room": ((225, 210, 190), (165, 120, 80)),
    "water": ((170, 215, 245), (70, 140, 190)),
    "desert": ((245, 205, 160), (215, 165, 105)),
    "night": ((40, 45, 85), (60, 80, 70)),
}
HILLY_BACKGROUNDS = ("grass", "snow", "desert", "night")


def draw_background(rng: random.Random, width: int, height: int) -> tuple[np.ndarray, str]:
    """Draw a random background.

    Returns:
        Pixels float32 [H, W, 3], about 0 to 255 and not clipped, and the name of the background.
    """
    name = rng.choice(BACKGROUNDS)
    noise = np.random.default_rng(rng.getrandbits(32))
    if name in BUILT_BACKGROUNDS:
        pixels = BUILT_BACKGROUNDS[name](rng, width, height)
        horizon, near = 0.0, np.ones((height, width), np.float32)
    else:
        pixels, horizon, near = _draw_open_background(name, rng, noise, width, height)
    rows = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    slope = rng.uniform(-50, 30) * (1 if name in OPEN_BACKGROUNDS else 0.5)
    clouds = _make_noise(noise, rng.randint(4, 9), rng.randint(5, 12), width, height) * rng.uniform(2, 11)
    grain_width = width // (16 if name == "water" else 4)
    grain = _make_noise(noise, height // 4, grain_width, width, height) * rng.uniform(1, 9)
    pixels += ((rows - horizon) * slope + clouds + grain * near)[..., None]
    return pixels, name


def _make_noise(noise: np.random.Generator, rows: int, columns: int, width: int, height: int) -> np.ndarray:
    coarse = noise.standard_normal((rows, columns), np.float32)
    interpolation = cv2.INTER_CUBIC if rows < 12 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=interpolation))


def _draw_open_background(
    name: str, rng: random.Random, noise: np.random.Generator, width: int, height: int
) -> tuple[np.ndarray, float, np.ndarray]:
    if name == "plain":
        tone = np.array([rng.randint(60, 240) for _ in range(3)], np.float32)
        return np.full((height, width, 3), tone, np.float32), 0.0, np.ones((height, width), np.float32)
    far, near = (
        np.array(tone, np.float32) + noise.normal(0, 10, 3).astype(np.float32)
        for tone in OPEN_BACKGROUNDS[name]
    )
    horizon = rng.uniform(0.1, 0.5)
    line = np.full((1, width), horizon, np.float32)
    if name in HILLY_BACKGROUNDS:
        phase = np.linspace(0, rng.uniform(3, 12), width, dtype=np.float32) + rng.uniform(0, 6)
        line += 0.02 * np.sin(phase)[None]
    rows = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    share = np.clip((rows - line) * (height / 3) + 0.5, 0, 1)
    return far + (near - far) * share[..., None], horizon, share


def _make_canvas(
    rng: random.Random, width: int, height: int, tone: Tone
) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGB", (width, height), _vary_tone(rng, tone))
    return image, ImageDraw.Draw(image)


def _vary_tone(rng: random.Random, tone: Tone, by: float = 18, light: float = 1.0) -> tuple[int, int, int]:
    lift = rng.uniform(-by, by)
    red, green, blue = (
        int(min(255, max(0, channel * light + lift + rng.uniform(-by, by) / 2))) for channel in tone
    )
    return red, green, blue


def _to_pixels(image: Image.Image) -> np.ndarray:
    return np.asarray(image).astype(np.float32)


def _draw_shelf(rng: random.Random, width: int, height: int) -> np.ndarray:
    """Draw boards on a wall, with uprights."""
    image, pen = _make_canvas(
        rng, width, height, rng.choice([(215, 205, 190), (190, 200, 205), (205, 190, 170)])
    )
    wood = _vary_tone(rng, (150, 105, 65))
    edge = _vary_tone(rng, (95, 65, 40), 8)
    boards = rng.randint(2, 3)
    thick = rng.randint(5, 9)
    offset = rng.uniform(0.75, 1.0)
    for number in range(1, boards + 1):
        y = int(height * offset * number / boards)
        pen.rectangle((0, y - thick, width, y), fill=wood)
        pen.rectangle((0, y, width, y + 2), fill=edge)
    for _ in range(rng.randint(1, 2)):
        x = rng.randint(0, width)
        pen.rectangle((x, 0, x + thick, height), fill=edge)
    return _to_pixels(image)


def _draw_table(rng: random.Random, width: int, height: int) -> np.ndarray:
    """Draw a wall with a panel, and a table top with planks and a front edge."""
    image, pen = _make_canvas(
        rng, width, height, rng.choice([(220, 215, 200), (180, 200, 190), (200, 185, 195)])
    )
    top = int(height * rng.uniform(0.2, 0.4))
    front = int(height * rng.uniform(0.82, 0.97))
    pen.rectangle((0, top - 8, width, top), fill=_vary_tone(rng, (235, 230, 220), 10))
    wood = _vary_tone(rng, rng.choice([(185, 135, 85), (140, 95, 60), (205, 180, 145)]))
    line = tuple(int(channel * 0.82) for channel in wood)
    pen.rectangle((0, top, width, height), fill=wood)
    middle = rng.uniform(0.3, 0.7) * width
    for number in range(-7, 8):
        x = middle + number * width * 0.18
        pen.line((middle + (x - middle) * 0.6, top, x, front), fill=line, width=1)
    pen.rectangle((0, front, width, front + 3), fill=tuple(int(channel * 0.6) for channel in wood))
    pen.rectangle((0, front + 4, width, height + 4), fill=tuple(int(channel * 0.45) for channel in wood))
    return _to_pixels(image)


def _draw_window(rng: random.Random, width: int, height: int) -> np.ndarray:
    """Draw a room with a window and a skirting board."""
    image, pen = _make_canvas(
        rng, width, height, rng.choice([(225, 210, 185), (205, 215, 220), (215, 200, 205)])
    )
    floor = int(height * rng.uniform(0.6, 0.8))
    pen.rectangle((0, floor, width, height), fill=_vary_tone(rng, (160, 120, 85)))
    pen.rectangle((0, floor - 7, width, floor), fill=_vary_tone(rng, (240, 238, 230), 6))
    wide, tall = rng.uniform(0.25, 0.45) * width, rng.uniform(0.3, 0.45) * height
    x, y = rng.uniform(0.05, 0.6) * width, rng.uniform(0.04, 0.12) * height
    frame = _vary_tone(rng, (245, 243, 238), 6)
    pen.rectangle((x - 5, y - 5, x + wide + 5, y + tall + 5), fill=frame)
    pen.rectangle((x, y, x + wide, y + tall), fill=_vary_tone(rng, (165, 205, 235)))
    pen.rectangle((x + wide / 2 - 2, y, x + wide / 2 + 2, y + tall), fill=frame)
    pen.rectangle((x, y + tall / 2 - 2, x + wide, y + tall / 2 + 2), fill=frame)
    return _to_pixels(image)


def _draw_road(rng: random.Random, width: int, height: int) -> np.ndarray:
    """Draw two kerbs that meet at the horizon, and a dashed line between them."""
    image, pen = _make_canvas(rng, width, height, rng.choice([(175, 205, 230), (205, 200, 195)]))
    horizon = int(height * rng.uniform(0.12, 0.35))
    centre = rng.uniform(0.3, 0.7) * width
    pen.rectangle(
        (0, horizon, width, height), fill=_vary_tone(rng, rng.choice([(125, 165, 95), (170, 165, 155)]))
    )
    half = rng.uniform(0.5, 0.8) * width

    def project_point(depth: float, side: float) -> tuple[float, float]:
        return centre + side * half * (0.12 + 0.88 * depth), horizon + depth * (height - horizon)

    asphalt = _vary_tone(rng, (105, 105, 110))
    pen.polygon(
        [project_point(0, -1), project_point(0, 1), project_point(1, 1), project_point(1, -1)], fill=asphalt
    )
    paint = _vary_tone(rng, rng.choice([(235, 235, 230), (230, 200, 90)]), 8)
    for side in (-0.94, 0.9):
        pen.polygon(
            [
                project_point(0, side),
                project_point(0, side + 0.04),
                project_point(1, side + 0.04),
                project_point(1, side),
            ],
            fill=paint,
        )
    for start in (0.06, 0.2, 0.4, 0.68):
        end = start * 1.25 + 0.05
        pen.polygon(
            [
                project_point(start, -0.02),
                project_point(start, 0.02),
                project_point(end, 0.02),
                project_point(end, -0.02),
            ],
            fill=paint,
        )
    return _to_pixels(image)


def _draw_fence(rng: random.Random, width: int, height: int) -> np.ndarray:
    """Draw a picket fence in front of the sky, with grass."""
    image, pen = _make_canvas(rng, width, height, (165, 205, 235))
    foot = int(height * rng.uniform(0.4, 0.6))
    tip = foot - int(height * rng.uniform(0.2, 0.32))
    pen.rectangle((0, int(foot * 0.8), width, height), fill=_vary_tone(rng, (125, 180, 90)))
    wood = _vary_tone(rng, rng.choice([(235, 230, 220), (170, 125, 85), (140, 150, 155)]), 8)
    rail = tuple(int(channel * 0.85) for channel in wood)
    for share in (0.3, 0.75):
        y = tip + (foot - tip) * share
        pen.rectangle((0, y, width, y + 5), fill=rail)
    plank, step = rng.randint(7, 12), rng.randint(16, 26)
    for x in range(rng.randint(-10, 0), width, step):
        pen.polygon(
            [(x, foot), (x, tip + 6), (x + plank / 2, tip), (x + plank, tip + 6), (x + plank, foot)],
            fill=wood,
        )
    return _to_pixels(image)


def _draw_tiles(rng: random.Random, width: int, height: int) -> np.ndarray:
    """Draw a tiled wall or floor in at most two tones."""
    one = _vary_tone(rng, rng.choice([(215, 220, 220), (195, 210, 200), (220, 205, 190), (180, 190, 205)]))
    image = Image.new("RGB", (width, height), one)
    pen = ImageDraw.Draw(image)
    other = tuple(int(channel * rng.choice([1.0, 0.9])) for channel in one)
    joint = tuple(int(channel * 0.84) for channel in one)
    side = rng.randint(22, 48)
    for row, y in enumerate(range(0, height, side)):
        for column, x in enumerate(range(0, width, side)):
            if (row + column) % 2:
                pen.rectangle((x, y, x + side, y + side), fill=other)
    for y in range(0, height, side):
        pen.line((0, y, width, y), fill=joint, width=2)
    for x in range(0, width, side):
        pen.line((x, 0, x, height), fill=joint, width=2)
    return _to_pixels(image)


BUILT_BACKGROUNDS: dict[str, Callable[[random.Random, int, int], np.ndarray]] = {
    "shelf": _draw_shelf,
    "table": _draw_table,
    "window": _draw_window,
    "road": _draw_road,
    "fence": _draw_fence,
    "tiles": _draw_tiles,
}
BACKGROUNDS: tuple[str, ...] = (*OPEN_BACKGROUNDS, "plain", *BUILT_BACKGROUNDS)
