from ris.referring.grounding.json_things import read_json_things


def test_the_key_of_a_box_is_kept():
    (thing,) = read_json_things('{"Bounding_Box": [1, 2, 3, 4], "label": "a mug"}').things

    assert (thing.box, thing.key, thing.label) == ((1, 2, 3, 4), "Bounding_Box", "a mug")


def test_a_list_under_an_unknown_key_is_a_box_with_that_key():
    (thing,) = read_json_things('{"location": [1, 2, 3, 4]}').things

    assert (thing.box, thing.key) == ((1, 2, 3, 4), "location")


def test_lists_without_a_key_count_only_where_no_key_names_a_box():
    found = read_json_things('[[5, 6, 7, 8], {"bbox": [1, 2, 3, 4]}]').things

    assert [thing.box for thing in found] == [(1, 2, 3, 4)]


def test_two_numbers_without_a_key_are_no_point():
    assert read_json_things("in [0, 1000]").things == ()


def test_several_boxes_under_one_key_are_several_things():
    found = read_json_things('{"bboxes": [[1, 2, 3, 4], [5, 6, 7, 8]], "point_2d": [1, 2]}').things

    assert [thing.box for thing in found] == [(1, 2, 3, 4), (5, 6, 7, 8), ()]
    assert found[2].points == (1, 2)


def test_an_empty_list_says_none_and_an_open_one_does_not():
    assert read_json_things("[]").says_none
    assert not read_json_things("[").says_none
    assert read_json_things("[").is_cut
