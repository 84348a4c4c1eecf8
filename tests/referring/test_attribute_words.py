from pathlib import Path

import pytest

from ris.pretrained.catalog.presets import TINY
from ris.pretrained.language.parser import SpacyParser
from ris.referring.attribute_words import ColourWish, read_attributes


@pytest.fixture(scope="module")
def read():
    parser = SpacyParser.load(TINY.parser.get_folder(Path()))
    return lambda text: read_attributes(parser.parse(text))


@pytest.mark.parametrize(
    ("text", "colours"),
    [
        ("the red mug", ["red"]), ("dark blue car", ["dark blue"]), ("the light green girl", ["light green"]),
        ("the mug that is not red", ["not red"]), ("non pink horse", ["not pink"]),
        ("the navy jacket", ["dark blue"]), ("the dark car", ["dark"]), ("the left tail light", []),
        ("the mug next to the red plate", []), ("truck, yellow", ["yellow"]), ("the mug", []),
        ("the gray and white cat", ["grey", "white"]),
    ],
)  # fmt: skip
def test_colours_are_those_of_the_referent(read, text, colours):
    assert [str(wish) for wish in read(text).colours] == colours


@pytest.mark.parametrize(
    ("text", "ordinal", "sides"),
    [
        ("the second bag from the left", 1, ("left",)), ("3rd bag from right", 2, ("right",)),
        ("the last dog on the right", -1, ("right",)), ("first horse from the top", 0, ("top",)),
        ("leftmost bag", None, ("left",)), ("the bag on the top right", None, ("top", "right")),
        ("the bag left of the car", None, ()), ("the bag", None, ()),
    ],
)  # fmt: skip
def test_order_and_sides(read, text, ordinal, sides):
    words = read(text)

    assert (words.ordinal, words.sides) == (ordinal, sides)


@pytest.mark.parametrize(
    ("text", "size"),
    [("the largest box", "big"), ("tiny dog", "small"), ("the tall tree", "tall"), ("the wide sofa", "wide"),
     ("a dog", "")],
)  # fmt: skip
def test_sizes(read, text, size):
    assert read(text).size == size


def test_persons_and_the_middle_are_read(read):
    assert read("the man on the left").is_person and not read("the mug").is_person
    assert read("the middle mug").middle and read("the mug in the center").middle


def test_a_denied_place_is_denied(read):
    assert read("the mug that is not on the left").negated
    assert not read("the mug on the left").negated


@pytest.mark.parametrize(
    ("text", "unused"),
    [
        ("the red mug", ("mug",)), ("the second paper bag from the left", ("paper", "bag")),
        ("the steel bowl held by the woman", ("steel", "bowl", "held", "woman")), ("the leftmost one", ()),
        ("the big red thing on the left side of the picture", ()),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_named(read, text, unused):
    assert read(text).unused == unused


@pytest.mark.parametrize("text", ["", "   ", "?!", "left", "not", "42", "the the the", "é ñ", "of the red"])
def test_any_text_can_be_read(read, text):
    assert read(text).ordinal is None


def test_a_colour_is_said_in_words():
    assert str(ColourWish("red", "dark", negated=True)) == "not dark red"
