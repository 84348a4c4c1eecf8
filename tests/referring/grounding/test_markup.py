from ris.referring.grounding.markup import (
    read_box_tags,
    read_coords_tags,
    read_detection_codes,
    read_location_codes,
    read_point_tags,
)


def test_a_box_tag_without_its_end_is_not_read():
    found = read_box_tags("<box>(1,2),(3,4)</box><box>(5,6),(7,8")

    assert ([thing.box for thing in found.things], found.is_cut) == ([(1, 2, 3, 4)], True)


def test_a_box_tag_has_the_label_before_it():
    (thing,) = read_box_tags("<ref> the mug </ref><box>(1,2),(3,4)</box>").things

    assert thing.label == "the mug"


def test_two_numbers_in_a_box_tag_are_a_point():
    (thing,) = read_box_tags("<|box_start|>(246,113)<|box_end|>").things

    assert thing.points == (246, 113)


def test_a_point_tag_without_its_end_is_not_read():
    found = read_point_tags('<point x="1" y="2">a</point><point x="63.5" y="4')

    assert ([thing.points for thing in found.things], found.is_cut) == ([(1, 2)], True)


def test_a_point_without_its_y_is_not_read():
    assert read_point_tags('<points x1="1" y1="2" x2="3" alt="mugs">').things[0].label == "mugs"
    assert len(read_point_tags('<points x1="1" y1="2" x2="3">').things) == 1


def test_numbers_that_are_no_groups_are_no_points():
    assert read_coords_tags('<points coords="1 1 990">').things == ()


def test_four_codes_are_a_box_and_six_a_polygon():
    assert read_location_codes("a<loc_1><loc_2><loc_3><loc_4>").things[0].box == (1, 2, 3, 4)
    assert read_location_codes("<loc_1><loc_2><loc_3><loc_4><loc_5><loc_6><loc_7>").things[0].polygons == (
        (1, 2, 3, 4, 5, 6),
    )


def test_several_detections_each_have_their_label():
    found = read_detection_codes(
        "<loc0001><loc0002><loc0003><loc0004> cat ; <loc0005><loc0006><loc0007><loc0008> dog"
    )

    assert [(thing.box, thing.label) for thing in found.things] == [
        ((1, 2, 3, 4), "cat"),
        ((5, 6, 7, 8), "dog"),
    ]
