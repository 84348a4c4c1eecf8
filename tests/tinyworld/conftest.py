import random

import pytest

from ris.tinyworld.scene import SyntheticScene, make_scene, mirror_scene


@pytest.fixture(scope="session")
def world() -> list[SyntheticScene]:
    rng = random.Random(11)
    drawn = [make_scene(rng, split=rng.choice(("train", "novel"))) for _ in range(300)]
    return [mirror_scene(scene) if rng.random() < 0.3 else scene for scene in drawn]
