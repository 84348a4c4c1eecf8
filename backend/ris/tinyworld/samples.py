"""Sample tasks: drawn scenes with one expression each, the same on every machine."""

import io
import random
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from ris.tinyworld.expressions import make_expressions
from ris.tinyworld.scene import make_scene

_SEED = 700_001  # of no training and no benchmark


@dataclass(frozen=True, slots=True, eq=False)
class DemoSample:
    """A sample task with its true mask.

    Attributes:
        pixels: uint8 [H, W, 3], RGB.
        png: the image as a PNG file.
        expression: in lower case.
        kind: of the expression, one of `EXPRESSION_KINDS`.
        truth: bool [H, W], the mask of the referent.
    """

    pixels: NDArray[np.uint8]
    png: bytes
    expression: str
    kind: str
    truth: NDArray[np.bool_]


def make_samples(count: int, *, seed: int = _SEED) -> list[DemoSample]:
    """Draw `count` scenes, with expressions of all kinds in turn."""
    rng = random.Random(seed)
    kinds = ["attribute", "position", "relation", "category", "size", "ordinal", "negation", "position"]
    samples: list[DemoSample] = []
    while len(samples) < count:
        scene = make_scene(rng, split="train")
        kind = kinds[len(samples) % len(kinds)]
        found = [e for e in make_expressions(scene, rng) if e.kind == kind]
        if not found:
            continue
        chosen = rng.choice(found)
        file = io.BytesIO()
        Pillow.fromarray(scene.image).save(file, "PNG")
        truth = np.asarray(scene.instances == chosen.referent + 1)
        samples.append(DemoSample(np.asarray(scene.image), file.getvalue(), chosen.text, chosen.kind, truth))
    return samples
