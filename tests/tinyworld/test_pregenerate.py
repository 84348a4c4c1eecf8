"""Folders of scenes: what is read is what was drawn."""

import random

import numpy as np
import pytest

from tinyworld.pregenerate import PIXELS, SceneFolder, draw_folder
from tinyworld.scene import make_scene


def test_a_folder_gives_back_the_scenes_that_were_drawn(tmp_path):
    draw_folder(tmp_path, split="novel", seed=4, count=6)

    folder = SceneFolder(tmp_path)

    assert len(folder) == 6
    for number, scene in enumerate(folder):
        drawn = make_scene(random.Random(f"novel 4 {number}"), split="novel")
        assert np.array_equal(scene.image, drawn.image) and np.array_equal(scene.instances, drawn.instances)
        assert scene.things == drawn.things and scene.ground == drawn.ground
    assert folder[-1].things == folder[5].things
    with pytest.raises(IndexError):
        folder[6]


def test_a_folder_of_none_is_empty(tmp_path):
    draw_folder(tmp_path, split="train", seed=1, count=0)

    assert list(SceneFolder(tmp_path)) == []


def test_a_folder_cut_short_is_an_error(tmp_path):
    draw_folder(tmp_path, split="train", seed=1, count=2)
    whole = (tmp_path / PIXELS).read_bytes()
    (tmp_path / PIXELS).write_bytes(whole[:-1])

    with pytest.raises(ValueError, match=r"has \d+ bytes, scenes\.jsonl tells of \d+; draw it again"):
        SceneFolder(tmp_path)
