"""Synthetic scenes: an image, its instance map, and a description of each thing."""

import math
import random
import zlib
from dataclasses import dataclass, replace

import cv2
import numpy as np

from ris.tinyworld import sprites
from ris.tinyworld.backgrounds import draw_background

SCENE_SPLITS = ("train", "novel")

# width, height; lengths in this package are for the first, the reference canvas
CANVASES = ((320, 240), (240, 320), (256, 256), (280, 200), (200, 280), (320, 180))
CANVAS_WEIGHTS = (50, 14, 14, 8, 6, 8)
REFERENCE_AREA_PX = 320 * 240

SIZES_PX = ((34, 46), (48, 64), (70, 98))  # small, medium, big, on the reference canvas
_MIN_VISIBLE_AREA_PX = 60

# A scene has at most one of each set: people could take one for another, or one is part of another.
CONFUSABLE_NOUNS = (
    {"bird", "duck", "owl"},
    {"man", "boy", "baby"},
    {"woman", "girl", "baby"},
    {"man", "woman", "dress", "shirt"},
    {"snowman", "hat"},
    {"dog", "bear"},
)


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing; `x`, `y`, `box` and `area_px` are of its visible part.

    Attributes:
        noun: one of `sprites.NOUNS`.
        colour: one of `sprites.COLOURS`, or None for its natural colours.
        shade: "dark", "light" or None.
        size_px: longest side of the whole sprite, hidden parts included.
        x, y: centre of its visible pixels.
        box: XYXY in pixels; x2 and y2 are exclusive.
        area_px: visible pixels, at least `_MIN_VISIBLE_AREA_PX`.
    """

    noun: str
    colour: str | None
    shade: str | None
    size_px: float
    x: float
    y: float
    box: tuple[int, int, int, int]
    area_px: int


@dataclass(frozen=True, slots=True, eq=False)
class SyntheticScene:
    """A drawn scene.

    Attributes:
        image: uint8 [H, W, 3], RGB.
        instances: uint8 [H, W]; 0 is background, i + 1 is `things[i]`.
        things: back to front.
        ground: name of the background, one of `backgrounds.BACKGROUNDS`.
    """

    image: np.ndarray
    instances: np.ndarray
    things: tuple[Thing, ...]
    ground: str

    @property
    def size(self) -> tuple[int, int]:
        """Height, width."""
        height, width = self.instances.shape
        return height, width

    @property
    def scale(self) -> float:
        """Scale of lengths on this canvas; 1 for the reference canvas."""
        return compute_canvas_scale(*self.size)

    def get_mask(self, thing: int) -> np.ndarray:
        """Get the visible pixels of a thing, by its index: bool [H, W]."""
        return np.asarray(self.instances == thing + 1)


def compute_gap(one: Thing, two: Thing) -> float:
    """Compute the distance between two boxes in pixels; 0 where they touch or overlap."""
    ax0, ay0, ax1, ay1 = one.box
    bx0, by0, bx1, by1 = two.box
    return math.hypot(max(ax0 - bx1, bx0 - ax1, 0), max(ay0 - by1, by0 - ay1, 0))


@dataclass(frozen=True, slots=True)
class _ThingPlan:
    noun: str
    colour: str | None
    shade: str | None
    size_px: float
    x: float = 0.0
    y: float = 0.0


def is_held_out(noun: str, colour: str | None) -> bool:
    """Whether training scenes never show this pair: about 1 pair in 9, by a hash of the words."""
    return colour is not None and zlib.crc32(f"{noun}/{colour}".encode()) % 9 == 0


def compute_canvas_scale(height: int, width: int) -> float:
    """Compute the scale of lengths on a canvas; 1 for the reference canvas."""
    return math.sqrt(width * height / REFERENCE_AREA_PX)


def make_scene(
    rng: random.Random, *, split: str = "train", canvas: tuple[int, int] | None = None
) -> SyntheticScene:
    """Draw a scene of at least two things; the same generator state gives the same scene.

    Args:
        rng: generator; its state changes.
        split: "train" never shows a held-out noun-colour pair; "novel" always shows one, of a noun that is
            in the scene at least twice.
        canvas: width, height; None chooses one of `CANVASES`.

    Raises:
        ValueError: there is no such split.
    """
    if split not in SCENE_SPLITS:
        raise ValueError(f"split must be one of {SCENE_SPLITS}, got {split!r}")
    while True:
        width, height = canvas or rng.choices(CANVASES, CANVAS_WEIGHTS)[0]
        plans = _place_things(
            _choose_things(rng, split, compute_canvas_scale(height, width)), rng, width, height
        )
        scene = _draw_things(plans, rng, width, height)
        # A thing that is nearly hidden would leave pixels that belong to no thing: draw another scene.
        if len(scene.things) == len(plans) >= 2 and (split == "train" or _has_novelty(scene)):
            return scene


def mirror_scene(scene: SyntheticScene) -> SyntheticScene:
    """Mirror a scene left to right: pixels and things. Its expressions change, so make them again."""
    width = scene.size[1]
    things = tuple(
        replace(
            thing,
            x=width - thing.x,
            box=(width - thing.box[2], thing.box[1], width - thing.box[0], thing.box[3]),
        )
        for thing in scene.things
    )
    return SyntheticScene(
        np.ascontiguousarray(scene.image[:, ::-1]),
        np.ascontiguousarray(scene.instances[:, ::-1]),
        things,
        scene.ground,
    )


def _has_novelty(scene: SyntheticScene) -> bool:
    nouns = [thing.noun for thing in scene.things]
    return any(is_held_out(t.noun, t.colour) and nouns.count(t.noun) > 1 for t in scene.things)


def _choose_things(rng: random.Random, split: str, scale: float) -> list[_ThingPlan]:
    """Choose the things: one noun two to four times, one to three more nouns once or twice."""
    plans = []
    for place, noun in enumerate(_choose_nouns(rng, split)):
        count = rng.choice((2, 2, 3, 3, 3, 4)) if place == 0 else rng.choice((1, 1, 2))
        seen = [c for c in sprites.COLOURS if not is_held_out(noun, c)]
        palette = list(sprites.COLOURS) if split == "novel" else seen
        if count > 2 and rng.random() < 0.5:  # few colours for many things, for "not red"
            palette = rng.sample(palette, 2)
        for number in range(count):
            colour: str | None = rng.choice(palette)
            if split == "novel" and place == number == 0:
                colour = rng.choice([c for c in sprites.COLOURS if is_held_out(noun, c)])
            if count == 1 and rng.random() < 0.4:
                colour = None
            shade = None
            if colour in sprites.SHADES and rng.random() < 0.35:
                shade = rng.choice(sprites.SHADES[colour])
            plans.append(_ThingPlan(noun, colour, shade, rng.uniform(*rng.choice(SIZES_PX)) * scale))
    return plans


def _choose_nouns(rng: random.Random, split: str) -> list[str]:
    count = rng.choice((2, 3, 3, 4))
    while True:
        nouns = rng.sample(sprites.NOUNS, count)
        is_clear = all(len(group.intersection(nouns)) < 2 for group in CONFUSABLE_NOUNS)
        has_novelty = any(is_held_out(nouns[0], colour) for colour in sprites.COLOURS)
        if is_clear and (split == "train" or has_novelty):
            return nouns


def _place_things(plans: list[_ThingPlan], rng: random.Random, width: int, height: int) -> list[_ThingPlan]:
    """Place the things, large ones first; they may overlap a little. Returns them back to front."""
    placed: list[_ThingPlan] = []
    for plan in sorted(plans, key=lambda plan: -plan.size_px):
        margin = plan.size_px * 0.45
        for attempt in range(40):
            x, y = rng.uniform(margin, width - margin), rng.uniform(margin, height - margin)
            if attempt < 12 and placed and rng.random() < 0.35:  # near an earlier one: "the dog by the car"
                other = rng.choice(placed)
                distance = (other.size_px + plan.size_px) * rng.uniform(0.48, 0.6)
                angle = rng.uniform(0, 2 * math.pi)
                x, y = other.x + distance * math.cos(angle), other.y + distance * math.sin(angle)
                if not (margin < x < width - margin and margin < y < height - margin):
                    continue
            if all(math.hypot(x - p.x, y - p.y) > 0.43 * (p.size_px + plan.size_px) for p in placed):
                placed.append(replace(plan, x=x, y=y))
                break
    return sorted(placed, key=lambda plan: plan.y + plan.size_px * 0.4)


def _draw_things(plans: list[_ThingPlan], rng: random.Random, width: int, height: int) -> SyntheticScene:
    image, ground = draw_background(rng, width, height)
    instances = np.zeros((height, width), np.uint8)
    for number, plan in enumerate(plans, start=1):
        sprite = sprites.draw_sprite(plan.noun, plan.colour, plan.shade, rng)
        if rng.random() < 0.5:
            sprite = sprite[:, ::-1]
        _paste_sprite(
            image, instances, sprite, plan, number, angle=rng.gauss(0, 7), light=rng.uniform(0.92, 1.05)
        )
    image *= rng.uniform(0.85, 1.08)
    pixels = image.clip(0, 255).astype(np.uint8)
    things = tuple(
        t for i, plan in enumerate(plans) if (t := _measure_thing(instances, i + 1, plan)) is not None
    )
    return SyntheticScene(pixels, instances, things, ground)


def _measure_thing(instances: np.ndarray, number: int, plan: _ThingPlan) -> Thing | None:
    mask = instances == number
    columns, rows = mask.sum(0), mask.sum(1)
    area = int(columns.sum())
    if area < _MIN_VISIBLE_AREA_PX:
        return None
    xs, ys = np.flatnonzero(columns), np.flatnonzero(rows)
    box = (int(xs[0]), int(ys[0]), int(xs[-1]) + 1, int(ys[-1]) + 1)
    x = float(columns @ np.arange(len(columns))) / area + 0.5
    y = float(rows @ np.arange(len(rows))) / area + 0.5
    return Thing(plan.noun, plan.colour, plan.shade, plan.size_px, x, y, box, area)


def _paste_sprite(
    image: np.ndarray,
    instances: np.ndarray,
    sprite: np.ndarray,
    plan: _ThingPlan,
    number: int,
    *,
    angle: float,
    light: float,
) -> None:
    """Draw a sprite, turned by `angle` degrees, and its shadow on the image, in place."""
    size = plan.size_px
    scale = size / max(sprite.shape[:2])
    layer = np.ascontiguousarray(sprite)
    layer[..., :3] *= (
        layer[..., 3:] / 255
    )  # premultiplied alpha: without it, edges get the colour of transparent pixels
    if scale < 0.6:  # the warp below samples four pixels only
        shrink = max(scale * 1.3, 0.3)
        layer = cv2.resize(layer, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
        scale /= shrink
    reach = int(size * 0.75) + 3
    cosine, sine = math.cos(math.radians(angle)) * scale, math.sin(math.radians(angle)) * scale
    turn = np.array([[cosine, sine, 0], [-sine, cosine, 0]], np.float32)
    turn[:, 2] = reach - turn[:, :2] @ np.array([layer.shape[1] / 2, layer.shape[0] / 2], np.float32)
    layer = cv2.warpAffine(layer, turn, (2 * reach, 2 * reach), flags=cv2.INTER_LINEAR)

    height, width = instances.shape
    left, top = round(plan.x) - reach, round(plan.y) - reach
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + 2 * reach, width), min(top + 2 * reach, height)
    layer = layer[y0 - top : y1 - top, x0 - left : x1 - left]
    alpha = layer[..., 3:] / 255
    region = image[y0:y1, x0:x1]
    right, down = int(size * 0.04) + 1, int(size * 0.05) + 1
    shadow = np.zeros(alpha.shape[:2], np.float32)
    shadow[down:, right:] = alpha[:-down, :-right, 0]
    region *= (1 - 0.30 * cv2.blur(shadow, (7, 7)))[..., None]
    region *= 1 - alpha
    region += layer[..., :3] * light
    instances[y0:y1, x0:x1][alpha[..., 0] > 0.5] = number
