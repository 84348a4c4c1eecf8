import random

from ris.tinyworld.relations import add_relations
from ris.tinyworld.writer import ExpressionWriter, ThingGroup
from tests.builders.synthetic_scenes import build_scene, build_thing


def write(group, *things):
    """(rule, referent, landmarks) of all relations of a group."""
    found = set()
    for seed in range(20):
        writer = ExpressionWriter(build_scene(*things), random.Random(seed))
        add_relations(writer, ThingGroup("dog", "", group))
        found |= {(each.rule, each.referent, each.landmarks) for each in writer.list_shuffled()}
    return found


def test_the_one_thing_at_a_landmark_is_near_it_and_the_other_is_not():
    found = write(
        (0, 1),
        build_thing("dog", "red", 60, 120),
        build_thing("dog", "red", 260, 120),
        build_thing("key", "red", 105, 120),
    )

    assert found == {
        ("near", 0, (2,)),
        ("not near", 1, (2,)),
        ("left of", 0, (2,)),
        ("right of", 1, (2,)),
    }


def test_a_direction_is_that_of_the_larger_distance():
    found = write(
        (0, 1),
        build_thing("dog", "red", 160, 30),
        build_thing("dog", "red", 190, 210),
        build_thing("key", "red", 160, 120),
    )

    assert ("above", 0, (2,)) in found and ("below", 1, (2,)) in found
    assert not {rule for rule, _, _ in found} & {"left of", "right of"}


def test_the_one_thing_on_the_line_between_two_landmarks_is_between_them():
    found = write(
        (0, 1),
        build_thing("dog", "red", 160, 60),
        build_thing("dog", "red", 160, 200),
        build_thing("key", "red", 40, 60),
        build_thing("car", "red", 280, 60),
    )

    assert {relation for relation in found if relation[0] == "between"} == {("between", 0, (2, 3))}


def test_a_landmark_that_has_no_name_of_its_own_is_not_used():
    found = write(
        (0, 1),
        build_thing("dog", "red", 60, 120),
        build_thing("dog", "red", 260, 120),
        build_thing("key", "red", 105, 120),
        build_thing("key", "red", 160, 30),
    )

    assert found == set()
