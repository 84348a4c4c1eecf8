from ris.referring.grounding.things import GroundedThing


def test_equal_things_count_once():
    box = GroundedThing(box=(0, 0, 1, 1))

    assert dict.fromkeys([box, GroundedThing(box=(0, 0, 1, 1))]) == {box: None}
