"""Scenes: the same again from the same seed, and metadata that agrees with the pixels."""

import hashlib
import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ris.tinyworld.scene import (
    _MIN_VISIBLE_AREA_PX,
    CANVASES,
    CONFUSABLE_NOUNS,
    is_held_out,
    make_scene,
    mirror_scene,
)
from ris.tinyworld.sprites import COLOURS, NOUNS


def scenes(count, *, split="train", seed=0):
    rng = random.Random(seed)
    return [make_scene(rng, split=split) for _ in range(count)]


@pytest.fixture(scope="module")
def train():
    return scenes(120)


@pytest.fixture(scope="module")
def novel():
    return scenes(60, split="novel")


def digest(scene):
    described = repr((scene.things, scene.ground)).encode()
    return hashlib.sha256(scene.image.tobytes() + scene.instances.tobytes() + described).hexdigest()


def test_the_same_seed_gives_the_same_scene(train):
    assert [digest(scene) for scene in scenes(20)] == [digest(scene) for scene in train[:20]]


def test_the_scene_does_not_depend_on_the_process():
    code = "import random, hashlib; from ris.tinyworld.scene import make_scene; "
    code += "s = make_scene(random.Random(7)); "
    code += "print(hashlib.sha256(s.image.tobytes() + repr(s.things).encode()).hexdigest())"
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONHASHSEED": "77"}
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=root, env=environment, capture_output=True, text=True, check=True
    )

    here = make_scene(random.Random(7))

    assert (
        told.stdout.strip() == hashlib.sha256(here.image.tobytes() + repr(here.things).encode()).hexdigest()
    )


def test_boxes_areas_and_centres_are_those_of_the_pixels(train, novel):
    for scene in (*train, *novel):
        height, width = scene.size
        assert scene.image.shape == (height, width, 3) and scene.image.dtype == np.uint8
        assert scene.instances.dtype == np.uint8
        assert set(np.unique(scene.instances)) == set(range(len(scene.things) + 1))
        for index, thing in enumerate(scene.things):
            ys, xs = np.nonzero(scene.get_mask(index))
            assert thing.box == (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)
            assert thing.area_px == len(xs) >= _MIN_VISIBLE_AREA_PX
            assert thing.x == pytest.approx(xs.mean() + 0.5) and thing.y == pytest.approx(ys.mean() + 0.5)


def test_a_thing_lies_where_its_pixels_were_drawn(train):
    for scene in train[:40]:
        for index, thing in enumerate(scene.things):
            x0, y0, x1, y1 = thing.box
            assert max(x1 - x0, y1 - y0) < thing.size_px * 1.3
            assert scene.image[scene.get_mask(index)].std() > 2


def test_train_never_shows_a_held_out_pair():
    assert not any(is_held_out(t.noun, t.colour) for scene in scenes(200, seed=5) for t in scene.things)


def test_novel_always_shows_one_on_a_noun_that_stands_there_twice(novel):
    for scene in novel:
        nouns = [t.noun for t in scene.things]
        assert any(is_held_out(t.noun, t.colour) and nouns.count(t.noun) > 1 for t in scene.things)


def test_about_one_pair_in_nine_is_held_out():
    pairs = [is_held_out(noun, colour) for noun in NOUNS for colour in COLOURS]

    assert 0.08 < np.mean(pairs) < 0.14
    assert not is_held_out("dog", None)


def test_things_in_natural_colours_are_alone_of_their_kind(train, novel):
    for scene in (*train, *novel):
        nouns = [t.noun for t in scene.things]
        assert all(nouns.count(t.noun) == 1 for t in scene.things if t.colour is None)


def test_no_scene_holds_two_things_that_share_a_name(train):
    for scene in train:
        nouns = {t.noun for t in scene.things}
        assert all(len(group & nouns) < 2 for group in CONFUSABLE_NOUNS)


def test_canvases_of_all_shapes_occur_and_things_grow_with_them():
    assert {scene.size[::-1] for scene in scenes(200, seed=3)} == set(CANVASES)
    small = make_scene(random.Random(1), canvas=(160, 120))
    large = make_scene(random.Random(1), canvas=(640, 480))

    assert small.scale == 0.5 and large.scale == 2
    assert max(t.size_px for t in small.things) <= 49 < min(t.size_px for t in large.things)


def test_a_mirror_turns_pixels_and_things_together(train):
    for scene in train[:30]:
        turned = mirror_scene(scene)

        assert np.array_equal(turned.image, scene.image[:, ::-1])
        for index, (thing, before) in enumerate(zip(turned.things, scene.things, strict=True)):
            ys, xs = np.nonzero(turned.get_mask(index))
            assert thing.box == (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)
            assert thing.x == pytest.approx(xs.mean() + 0.5) and thing.y == pytest.approx(ys.mean() + 0.5)
            assert (thing.noun, thing.colour, thing.area_px) == (before.noun, before.colour, before.area_px)


def test_two_mirrors_give_the_scene_back(train):
    scene = train[0]

    twice = mirror_scene(mirror_scene(scene))

    assert np.array_equal(twice.image, scene.image) and np.array_equal(twice.instances, scene.instances)
    assert [t.box for t in twice.things] == [t.box for t in scene.things]


def test_an_unknown_split_is_an_error():
    with pytest.raises(ValueError, match=r"split must be one of \('train', 'novel'\), got 'test'"):
        make_scene(random.Random(0), split="test")
