import random

from ris.tinyworld.attributes import add_category, add_colours, add_sizes
from ris.tinyworld.writer import ExpressionWriter, ThingGroup
from tests.builders.synthetic_scenes import build_scene, build_thing


def write(add, *things):
    """(rule, referent) of all expressions, over many seeds."""
    found = set()
    for seed in range(20):
        writer = ExpressionWriter(build_scene(*things), random.Random(seed))
        add(writer)
        found |= {(expression.rule, expression.referent) for expression in writer.list_shuffled()}
    return found


def add_dog_sizes(writer):
    add_sizes(writer, ThingGroup("dog", "", tuple(range(len(writer.scene.things)))))


def test_the_only_thing_of_its_noun_is_named_by_noun_and_by_colour():
    assert write(lambda writer: add_category(writer, 0), build_thing("dog", "red", 60, 60)) == {
        ("noun", 0),
        ("colour", 0),
    }


def test_a_colour_names_the_one_thing_that_has_it_and_its_negation_too():
    things = [build_thing("dog", colour, 60, 60) for colour in ("red", "blue", "blue")]

    assert write(lambda writer: add_colours(writer, "dog", (0, 1, 2)), *things) == {
        ("colour", 0),
        ("not colour", 0),
    }


def test_a_shade_names_a_thing_where_the_colour_does_not():
    things = [build_thing("dog", "green", 60, 60, shade=shade) for shade in ("dark", None, None)]

    assert write(lambda writer: add_colours(writer, "dog", (0, 1, 2)), *things) == {("shade", 0)}


def test_sizes_that_differ_clearly_are_named():
    things = [build_thing("dog", "red", 60, 60, side=side) for side in (30, 45, 70)]

    assert write(add_dog_sizes, *things) == {
        ("smallest", 0),
        ("biggest", 2),
        ("second biggest", 1),
        ("second smallest", 1),
    }


def test_sizes_that_are_nearly_equal_are_not():
    things = [build_thing("dog", "red", 60, 60, side=side) for side in (40, 44, 48)]

    assert write(add_dog_sizes, *things) == set()
