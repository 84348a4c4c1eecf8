import numpy as np

from backend.referring.direction import direction, rectified
from tests.referring.test_lgd import words

PLACES = np.array([[1, 1], [1, 9], [9, 1], [9, 9]], np.float32)  # row, column: the four quarters


def moved(scores, text, subject, landmarks=(), places=PLACES):
    got, side = rectified(np.array(scores, np.float32), places, words(text, subject, landmarks))
    return int(got.argmax()), side


def test_the_rectifier_takes_the_best_of_the_side_that_is_named():
    assert moved([1, 9, 2, 8], "the left mug", "the left mug") == (2, "left")
    assert moved([1, 9, 2, 8], "mug on the right", "mug", ("the right",))[0] == 1
    assert moved([9, 3, 2, 1], "mug at the bottom", "mug", ("the bottom",)) == (2, "bottom")
    assert moved([9, 3, 2, 1], "bottom right mug", "bottom right mug") == (3, "bottom right")


def test_of_two_quarters_with_equal_bests_the_second_wins():
    assert moved([5, 9, 5, 1], "the left mug", "the left mug")[0] == 2


def test_the_rectifier_keeps_out_of_relations_between_things():
    assert moved([1, 9, 2, 8], "the mug left of the plate", "the mug", ("the plate",)) == (1, "")


def test_a_laptop_is_not_at_the_top_and_an_upright_one_not_on_the_right():
    assert direction(words("the laptop", "the laptop")) == ("", "")
    assert direction(words("upright bottle", "upright bottle")) == ("", "")


def test_a_side_in_the_subject_counts_beside_other_things():
    assert direction(words("left mug near plate", "left mug", ("plate",))) == ("", "left")


def test_a_side_with_nothing_in_it_changes_nothing():
    one = np.array([[5, 5]], np.float32)  # nothing is strictly left of its own median

    assert moved([3], "left mug", "left mug", places=one) == (0, "")
