import random

import pytest

from ris.tinyworld.positions import (
    add_corners,
    add_middle,
    add_other_half,
    add_queue,
    add_sides,
    get_position,
)
from ris.tinyworld.writer import ExpressionWriter, ThingGroup
from tests.builders.synthetic_scenes import build_scene, build_thing


def write(add, *places):
    """(rule, referent) of all expressions about dogs at these places, over many seeds."""
    scene = build_scene(*(build_thing("dog", "red", x, y) for x, y in places))
    group, found = ThingGroup("dog", "", tuple(range(len(places)))), set()
    for seed in range(40):
        writer = ExpressionWriter(scene, random.Random(seed))
        add(writer, group)
        found |= {(expression.rule, expression.referent) for expression in writer.list_shuffled()}
    return found


@pytest.mark.parametrize(("axis", "expected"), [("x", 60), ("y", 180)])
def test_a_position_is_the_centre_on_an_axis(axis, expected):
    assert get_position(build_thing("dog", "red", 60, 180), axis) == expected


def test_the_first_and_the_last_on_an_axis_are_named_by_their_sides():
    places = [(60, 120), (160, 120), (260, 120)]

    assert write(lambda writer, group: add_sides(writer, group, "x"), *places) == {("left", 0), ("right", 2)}
    assert write(lambda writer, group: add_sides(writer, group, "y"), *places) == set()


def test_two_things_that_are_nearly_one_above_the_other_have_no_left_one():
    assert write(lambda writer, group: add_sides(writer, group, "x"), (100, 60), (110, 180)) == set()


def test_the_second_of_three_in_a_row_or_a_column_is_the_middle_one():
    assert write(add_middle, (260, 120), (60, 120), (160, 120)) == {("middle", 2)}
    assert write(add_middle, (160, 40), (160, 120), (160, 200)) == {("middle", 1)}
    assert write(add_middle, (60, 120), (260, 120)) == set()


def test_a_corner_names_the_one_thing_in_it():
    assert write(add_corners, (40, 40), (160, 120)) == {("top left", 0)}


def test_places_in_a_row_are_counted_from_both_sides():
    found = write(lambda writer, group: add_queue(writer, group, "x"), (60, 120), (160, 120), (260, 120))

    assert found == {
        ("first from the left", 0), ("second from the left", 1), ("third from the left", 2),
        ("third from the right", 0), ("second from the right", 1), ("first from the right", 2),
    }  # fmt: skip


def test_the_one_thing_on_the_other_half_is_not_on_the_side_of_the_others():
    found = write(lambda writer, group: add_other_half(writer, group, "x"), (40, 60), (80, 180), (260, 120))

    assert found == {("not left", 2)}
