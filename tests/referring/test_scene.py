from dataclasses import replace

import numpy as np
import pytest

from tests.builders.masks import make_scene, rectangle


def test_a_scene_refuses_another_number_of_boxes_than_masks():
    scene = make_scene(rectangle((8, 8), 0, 0, 4, 4))

    with pytest.raises(ValueError, match="a scene of 1 masks needs 1 boxes, got 0"):
        replace(scene, boxes=())


def test_a_scene_counts_more_bytes_for_more_features():
    mask = rectangle((8, 8), 0, 0, 4, 4)

    small = make_scene(mask, features={"a": {"b": np.zeros((1, 10), np.float32)}})
    large = make_scene(mask, features={"a": {"b": np.zeros((1, 1010), np.float32)}})

    assert large.n_bytes - small.n_bytes == 4000


def test_a_scenes_features_cannot_be_exchanged():
    scene = make_scene(rectangle((8, 8), 0, 0, 4, 4))

    with pytest.raises(TypeError):
        scene.features["a"] = {}
