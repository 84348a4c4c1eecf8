import dataclasses

import numpy as np

from ris.service import SceneCache
from tests.builders.masks import make_scene, rectangle


def scene(digest, n_features=1000):
    made = make_scene(
        rectangle((8, 8), 0, 0, 4, 4), features={"a": {"b": np.zeros((1, n_features), np.float32)}}
    )
    return dataclasses.replace(made, digest=digest)


def test_the_cache_keeps_the_scenes_used_last_within_its_bytes():
    cache = SceneCache(3 * scene("x").n_bytes)
    for digest in "abc":
        cache.put(scene(digest))
    cache.get("a")
    cache.put(scene("d"))

    assert [digest for digest in "abcd" if cache.get(digest)] == ["a", "c", "d"]


def test_a_scene_larger_than_the_cache_is_not_kept():
    cache = SceneCache(scene("x").n_bytes)
    cache.put(scene("large", n_features=100_000))

    assert len(cache) == 0


def test_the_same_scene_twice_counts_once():
    cache = SceneCache(2 * scene("x").n_bytes)
    for _ in range(5):
        cache.put(scene("a"))
    cache.put(scene("b"))

    assert len(cache) == 2
