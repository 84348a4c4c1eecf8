import numpy as np

from ris.core.tree import Tree
from ris.referring.direction import find_plain_direction, find_released_direction, rectify_scores
from tests.builders.masks import words
from tests.referring.tables import read_rows, to_tree

PLACES = np.array([[1, 1], [1, 9], [9, 1], [9, 9]], np.float32)  # row, column: the four quarters


def moved(scores, text, subject, landmarks=(), places=PLACES):
    said = find_plain_direction(words(text, subject, landmarks))
    got, side = rectify_scores(np.array(scores, np.float32), places, said)
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
    assert find_plain_direction(words("the laptop", "the laptop")) == ("", "")
    assert find_plain_direction(words("upright bottle", "upright bottle")) == ("", "")


def test_a_side_in_the_subject_counts_beside_other_things():
    assert find_plain_direction(words("left mug near plate", "left mug", ("plate",))) == ("", "left")


def test_a_side_with_nothing_in_it_changes_nothing():
    one = np.array([[5, 5]], np.float32)  # nothing is strictly left of its own median

    assert moved([3], "left mug", "left mug", places=one) == (0, "")


def test_a_mask_of_the_side_wins_over_an_equal_one_outside_of_it():
    assert moved([9, 9, 2, 1], "the mug on the right", "the mug", ("the right",)) == (1, "right")


QUARTERS = np.array([[1, 1], [9, 1], [1, 9], [9, 9]], np.float32)  # top left, bottom left, top right, ...
ORDERS = [(0, 1, 2, 3), (0, 3, 2, 1), (1, 2, 3, 0), (2, 1, 0, 3), (3, 0, 1, 2), (3, 2, 1, 0)]  # of scores


def test_the_released_rule_chooses_what_the_authors_code_chose_on_a_table_of_expressions():
    rows = read_rows("lgd_rectifier.jsonl")
    untouched = [int(np.argmax(order)) for order in ORDERS]
    misses = []
    for row in rows:
        side = find_released_direction(to_tree(row))
        chosen = [int(rectify_scores(np.array(o, np.float32), QUARTERS, side)[0].argmax()) for o in ORDERS]
        misses += [(row["text"], side)] if chosen != row["chosen"] else []

    assert misses == []
    assert len(rows) >= 150
    assert sum(row["chosen"] != untouched for row in rows) >= 40


def test_the_two_rules_are_two():
    """The released one keeps out of more than half of what ours goes by, and knows no bottom."""
    rows = {row["text"]: find_released_direction(to_tree(row)) for row in read_rows("lgd_rectifier.jsonl")}

    assert rows["the left man"] == ("", "")
    assert find_plain_direction(words("the left man", "the left man")) == ("", "left")
    assert not any(side != ("", "") for text, side in rows.items() if "bottom" in text)


def test_nothing_said_has_no_side():
    assert find_released_direction(Tree("")) == ("", "")
