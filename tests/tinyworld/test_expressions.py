import random
import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ris.tinyworld.expressions import EXPRESSION_KINDS, REPORT_ROWS, make_expressions
from ris.tinyworld.scene import make_scene, mirror_scene
from tests.builders.synthetic_scenes import build_scene, build_thing
from tests.tinyworld.reader import COLOUR, NOUN, NOUNS, UnreadableError, read


def test_every_expression_is_true_of_exactly_one_thing(world):
    rng = random.Random(1)
    said: Counter[str] = Counter()

    for number, scene in enumerate(world):
        for expression in make_expressions(scene, rng):
            _, found = read(expression.text, scene)
            true = [i for i, value in found.items() if value]
            arguable = [i for i, value in found.items() if value is None]
            assert (true, arguable) == ([expression.referent], []), (
                f"scene {number}: {expression} {scene.things}"
            )
            said[expression.kind] += 1

    assert set(said) == set(EXPRESSION_KINDS) == set(REPORT_ROWS)
    assert min(said.values()) > 300


def test_the_subject_is_the_noun_phrase_that_the_text_begins_with(world):
    rng = random.Random(2)

    for scene in world:
        for expression in make_expressions(scene, rng):
            assert expression.subject == read(expression.text, scene)[0]


def test_landmarks_are_the_things_that_the_text_names(world):
    rng = random.Random(3)
    n_related = 0

    for scene in world:
        for expression in make_expressions(scene, rng):
            rest = expression.text.removeprefix(expression.subject)
            named = [NOUNS[word] for word in re.findall(rf"the (?:{COLOUR} )?({NOUN})\b", rest)]
            assert [scene.things[i].noun for i in expression.landmarks] == named
            n_related += bool(named)

    assert n_related > 1000


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**64))
def test_the_same_seed_says_the_same_of_the_same_scene(seed):
    scene = make_scene(random.Random(seed))

    one = make_expressions(scene, random.Random(seed))
    two = make_expressions(scene, random.Random(seed))

    assert one == two
    assert len({expression.text for expression in one}) == len(one)


def test_the_expressions_of_a_mirrored_scene_are_mirrored(world):
    scene = next(s for s in world if any(e.rule == "left" for e in make_expressions(s, random.Random(0))))
    rng = random.Random(0)

    before = {(e.rule, e.referent) for e in make_expressions(scene, rng) if e.rule in ("left", "right")}
    after = {
        (e.rule, e.referent)
        for e in make_expressions(mirror_scene(scene), rng)
        if e.rule in ("left", "right")
    }

    assert before == {({"left": "right", "right": "left"}[rule], i) for rule, i in after}


def test_the_reader_is_not_easily_pleased():
    """Two dogs nearly in a column: neither is the left one, one is the top one."""
    column = build_scene(build_thing("dog", "red", 100, 60), build_thing("dog", "blue", 110, 180))

    assert read("left dog", column)[1] == {0: None, 1: None}
    assert read("the dog at the top", column)[1] == {0: True, 1: False}
    assert read("the dog that is not red", column)[1] == {0: False, 1: True}
    texts = {e.rule for seed in range(30) for e in make_expressions(column, random.Random(seed))}
    assert "top" in texts and not texts & {"left", "right", "biggest", "not left", "first from the left"}
    with pytest.raises(UnreadableError):
        read("the dog that sleeps", column)
