"""Sample tasks: drawn scenes with one expression each, the same on every machine."""

import io
import random
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from ris.tinyworld.expressions import make_expressions
from ris.tinyworld.scene import make_scene

_SEED = 700_001  # neither a training's nor the benchmark's


@dataclass(frozen=True, slots=True, eq=False)
class DemoSample:
    """A task, and the mask that is truly meant.

    Attributes:
        pixels: uint8 [H, W, 3].
        png: the same as a file.
        truth: bool [H, W].
    """

    pixels: NDArray[np.uint8]
    png: bytes
    expression: str
    kind: str
    truth: NDArray[np.bool_]


def make_samples(count: int, *, seed: int = _SEED) -> list[DemoSample]:
    """So many scenes, with expressions of all kinds in turn."""
    rng = random.Random(seed)
    kinds = ["attribute", "position", "relation", "category", "size", "ordinal", "negation", "position"]
    samples: list[DemoSample] = []
    while len(samples) < count:
        scene = make_scene(rng, split="train")
        wanted = kinds[len(samples) % len(kinds)]
        found = [e for e in make_expressions(scene, rng) if e.kind == wanted]
        if not found:
            continue
        chosen = rng.choice(found)
        file = io.BytesIO()
        Pillow.fromarray(scene.image).save(file, "PNG")
        truth = np.asarray(scene.instances == chosen.referent + 1)
        samples.append(DemoSample(np.asarray(scene.image), file.getvalue(), chosen.text, chosen.kind, truth))
    return samples
