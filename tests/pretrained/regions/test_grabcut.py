import numpy as np

from ris.pretrained.regions.grabcut import cut_out, keep_largest, make_band

NOTHING = np.zeros((80, 120), np.bool_)


def test_an_outline_that_is_off_moves_to_the_object(things, mask_named):
    off = np.roll(mask_named("red"), (3, -3), (0, 1))
    inside, outside = make_band(off, 0.4)

    assert np.array_equal(cut_out(things.pixels, off, inside, outside), mask_named("red"))


def test_sure_pixels_stay_inside_and_forbidden_ones_outside(things, mask_named):
    sure, never = NOTHING.copy(), NOTHING.copy()
    sure[5, 5], never[40, 30] = True, True

    found = cut_out(things.pixels, mask_named("red"), sure, never)

    assert found[5, 5] and not found[40, 30]


def test_a_pixel_that_is_both_is_outside(things, mask_named):
    both = NOTHING.copy()
    both[40, 30] = True

    assert not cut_out(things.pixels, mask_named("red"), both, both)[40, 30]


def test_an_image_without_an_outside_is_returned_as_it_is():
    pixels, everything = np.zeros((4, 4, 3), np.uint8), np.ones((4, 4), np.bool_)

    assert cut_out(pixels, everything, ~everything, ~everything).all()


def test_the_same_question_has_the_same_answer(things, mask_named):
    answers = [cut_out(things.pixels, mask_named("blue", "white"), NOTHING, NOTHING) for _ in range(3)]

    assert all(np.array_equal(answers[0], other) for other in answers)


def test_the_band_lies_between_inside_and_outside(mask_named):
    inside, outside = make_band(mask_named("red"))

    assert not (inside & outside).any() and (inside <= mask_named("red")).all()
    assert not (outside & mask_named("red")).any()


def test_the_largest_piece_is_kept():
    mask = np.zeros((5, 9), np.bool_)
    mask[1:4, 1:4], mask[2, 6] = True, True

    assert keep_largest(mask).sum() == 9
    assert not keep_largest(np.zeros((3, 3), np.bool_)).any()
