"""Scenes that are written down instead of drawn, on the reference canvas of 320 x 240."""

import numpy as np

from ris.tinyworld.scene import SyntheticScene, Thing


def build_thing(noun: str, colour: str | None, x: float, y: float, *, side: int = 40, shade=None) -> Thing:
    half = side // 2
    box = (int(x) - half, int(y) - half, int(x) + half, int(y) + half)
    return Thing(noun, colour, shade, side, x, y, box, side * side)


def build_scene(*things: Thing) -> SyntheticScene:
    return SyntheticScene(np.zeros((240, 320, 3), np.uint8), np.zeros((240, 320), np.uint8), things, "grass")
