import random
import re

from ris.tinyworld.descriptions import make_attribute_description, make_caption, make_surrounding_description
from ris.tinyworld.scene import compute_gap
from tests.tinyworld.reader import COLOUR, NOUN, NOUNS, is_colour


def test_descriptions_agree_with_the_things(world):
    for scene in world[:60]:
        for i, thing in enumerate(scene.things):
            words = make_attribute_description(thing, scene).split()
            assert words[0] == "a" and words[-1] == thing.noun
            assert [w for w in words[2:-1] if w not in ("dark", "light")] == [thing.colour] * bool(
                thing.colour
            )
            noun, around = make_surrounding_description(i, scene).split(" near ")
            assert noun.split()[-1] == thing.noun
            others = [other for k, other in enumerate(scene.things) if k != i]
            told = around.split(" and ")
            assert len(told) == min(2, len(others))
            for words in told:
                assert any(
                    words.split()[-1] == o.noun and (not o.colour or o.colour in words) for o in others
                )
                assert min(compute_gap(thing, o) for o in others if words.split()[-1] == o.noun) <= max(
                    sorted(compute_gap(thing, o) for o in others)[:2]
                )


def test_captions_speak_of_things_that_are_there(world):
    rng = random.Random(5)

    for scene in world[:60]:
        for text in (make_caption(scene, rng) for _ in range(3)):
            for colour, word in re.findall(rf"\ban? (?:({COLOUR}) )?({NOUN})\b", text):
                assert any(
                    t.noun == NOUNS[word] and (not colour or is_colour(t, colour)) for t in scene.things
                )
