"""A picture of three even things on an even ground, and its tree of regions."""

import numpy as np
import pytest

from ris.core.types import Image
from ris.pretrained.masks.settings import GroupingSettings
from ris.pretrained.regions.choosing import RegionTree
from ris.pretrained.regions.grouping import group_segments
from ris.pretrained.regions.segments import describe_segments, find_segments

GROUND, RED, BLUE, WHITE = (70, 110, 70), (200, 30, 30), (30, 40, 190), (245, 245, 245)
BOXES = {"red": (10, 20, 50, 60), "blue": (70, 20, 110, 60), "white": (50, 30, 70, 50)}  # they touch


def draw_things():
    """120 x 80: a red square, a white one, a blue one, side by side; a little noise."""
    pixels = np.empty((80, 120, 3), np.int64)
    pixels[:] = GROUND
    for (x1, y1, x2, y2), colour in zip(BOXES.values(), (RED, BLUE, WHITE), strict=True):
        pixels[y1:y2, x1:x2] = colour
    noise = np.random.default_rng(0).integers(-4, 5, pixels.shape)
    return np.clip(pixels + noise, 0, 255).astype(np.uint8)


def mask_of(*names):
    mask = np.zeros((80, 120), np.bool_)
    for name in names:
        x1, y1, x2, y2 = BOXES[name]
        mask[y1:y2, x1:x2] = True
    return mask


@pytest.fixture(scope="session")
def things():
    return Image.from_pixels(draw_things())


@pytest.fixture(scope="session")
def mask_named():
    return mask_of


@pytest.fixture(scope="session")
def tree(things):
    labels = find_segments(things.pixels, GroupingSettings())
    segments = describe_segments(things.pixels, labels)
    return RegionTree(segments, group_segments(segments))
