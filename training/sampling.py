"""Random scenes, expressions and distortions that the trainings share."""

import random

import cv2
import numpy as np
from numpy.typing import NDArray

from ris.tinyworld.expressions import make_expressions
from ris.tinyworld.scene import SyntheticScene, make_scene
from ris.tinyworld.writer import Expression

KIND_WEIGHTS = {
    "category": 1.2,
    "attribute": 1.5,
    "size": 1.3,
    "position": 3.0,
    "relation": 3.0,
    "ordinal": 2.0,
    "negation": 1.6,
}


def pick_scene(rng: random.Random) -> tuple[SyntheticScene, list[Expression]]:
    """Draw scenes until one has at least two expressions."""
    while True:
        scene = make_scene(rng, split="train")
        expressions = list(make_expressions(scene, rng))
        if len(expressions) >= 2:
            return scene, expressions


def vary_brightness(image: NDArray[np.uint8], rng: random.Random) -> NDArray[np.uint8]:
    """Change the brightness of an image at random, by at most 12 %."""
    return np.clip(image.astype(np.float32) * (1 + rng.uniform(-0.12, 0.12)), 0, 255).astype(np.uint8)


def jitter_mask(mask: NDArray[np.bool_], rng: random.Random) -> NDArray[np.bool_]:
    """Change a mask as a proposer might: it stays, or becomes a little larger or smaller."""
    if rng.random() < 0.5:
        return mask
    kernel = np.ones((rng.choice([3, 5]),) * 2, np.uint8)
    change = cv2.dilate if rng.random() < 0.5 else cv2.erode
    changed = change(mask.astype(np.uint8), kernel) > 0
    return changed if changed.sum() > 30 else mask


def choose_balanced(expressions: list[Expression], count: int, rng: random.Random) -> list[Expression]:
    """Choose at most `count` expressions, with kinds balanced by `KIND_WEIGHTS`."""
    kinds: dict[str, list[Expression]] = {}
    for expression in expressions:
        kinds.setdefault(expression.kind, []).append(expression)
    picked: list[Expression] = []
    while len(picked) < count and kinds:
        kind = rng.choices(list(kinds), [KIND_WEIGHTS[k] for k in kinds])[0]
        picked.append(kinds[kind].pop(rng.randrange(len(kinds[kind]))))
        if not kinds[kind]:
            del kinds[kind]
    return picked
