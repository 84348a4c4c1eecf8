import random

import numpy as np

from ris.tinyworld.writer import Expression
from training.sampling import choose_balanced, jitter_mask, pick_scene, vary_brightness


def test_a_picked_scene_has_at_least_two_expressions():
    rng = random.Random(0)

    assert all(len(pick_scene(rng)[1]) >= 2 for _ in range(10))


def test_at_most_so_many_expressions_are_chosen_and_none_twice():
    expressions = [
        Expression(f"dog {i}", "dog", i, kind, kind) for i in range(6) for kind in ("size", "position")
    ]

    chosen = choose_balanced(expressions, 8, random.Random(0))

    assert len(chosen) == len({(e.text, e.kind) for e in chosen}) == 8
    assert choose_balanced(expressions[:3], 8, random.Random(0)) != []
    assert sorted(map(repr, choose_balanced(expressions[:3], 8, random.Random(0)))) == sorted(
        map(repr, expressions[:3])
    )


def test_a_jittered_mask_is_never_empty_and_at_most_two_pixels_off():
    mask = np.zeros((40, 40), np.bool_)
    mask[10:30, 10:30] = True

    areas = {int(jitter_mask(mask, random.Random(seed)).sum()) for seed in range(60)}

    assert areas == {16**2, 18**2, 20**2, 22**2, 24**2}


def test_a_tiny_mask_is_not_eroded_away():
    mask = np.zeros((40, 40), np.bool_)
    mask[10:14, 10:14] = True

    assert all(jitter_mask(mask, random.Random(seed)).sum() >= 16 for seed in range(60))


def test_brightness_varies_by_at_most_an_eighth():
    grey = np.full((4, 4, 3), 100, np.uint8)

    levels = {int(vary_brightness(grey, random.Random(seed)).max()) for seed in range(60)}

    assert len(levels) > 10 and min(levels) >= 88 and max(levels) <= 112
