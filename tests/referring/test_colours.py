import numpy as np
import pytest

from ris.referring.colours import BASIC_COLOURS, COLOUR_WORDS, SHADE_NAMES, count_colours, name_pixels

NAMED = {
    "black": (15, 15, 18), "grey": (128, 128, 128), "white": (250, 248, 245), "red": (200, 20, 25),
    "orange": (255, 150, 20), "brown": (120, 72, 30), "yellow": (250, 225, 30), "green": (40, 140, 50),
    "blue": (30, 70, 200), "purple": (120, 40, 150), "pink": (250, 160, 190),
}  # fmt: skip


@pytest.mark.parametrize(("name", "rgb"), NAMED.items())
def test_a_clear_colour_has_its_basic_name(name, rgb):
    code = int(name_pixels(np.array([[rgb]], np.uint8))[0, 0])

    assert BASIC_COLOURS[code // 3] == name


@pytest.mark.parametrize(
    ("rgb", "name", "shade"),
    [((10, 20, 90), "blue", "dark"), ((150, 190, 250), "blue", "light"), ((200, 160, 120), "brown", "light")],
)
def test_a_colour_has_a_shade(rgb, name, shade):
    code = int(name_pixels(np.array([[rgb]], np.uint8))[0, 0])

    assert (BASIC_COLOURS[code // 3], SHADE_NAMES[code % 3]) == (name, shade)


def test_every_colour_has_exactly_one_name():
    grid = np.stack(np.meshgrid(*[np.arange(0, 256, 15)] * 3), -1).reshape(1, -1, 3).astype(np.uint8)

    codes = name_pixels(grid)

    assert codes.max() < 3 * len(BASIC_COLOURS)
    assert {BASIC_COLOURS[c // 3] for c in np.unique(codes)} == set(BASIC_COLOURS)


def test_shares_are_of_the_mask_alone_and_sum_to_one():
    pixels = np.zeros((4, 4, 3), np.uint8)
    pixels[:, 2:] = NAMED["red"]
    left, all_of_it = np.zeros((4, 4), np.bool_), np.ones((4, 4), np.bool_)
    left[:, :2] = True

    shares = count_colours(pixels, [left, all_of_it]).sum(2)

    assert shares[0, BASIC_COLOURS.index("black")] == 1
    assert shares[1, BASIC_COLOURS.index("red")] == shares[1, BASIC_COLOURS.index("black")] == 0.5


def test_no_masks_have_no_shares():
    assert count_colours(np.zeros((4, 4, 3), np.uint8), []).shape == (0, 11, 3)


def test_other_words_mean_a_basic_colour():
    assert all(
        colour in BASIC_COLOURS and shade in ("", *SHADE_NAMES) for colour, shade in COLOUR_WORDS.values()
    )
