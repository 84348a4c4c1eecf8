import numpy as np
import pytest

from ris.core.expression import ParsedExpression, Word
from ris.referring.spatial import Spatial
from tests.builders.masks import make_scene, rectangle

SIZE = (40, 40)
CORNERS = [rectangle(SIZE, x, y, x + 8, y + 8) for y in (0, 32) for x in (0, 32)]
CENTRE = rectangle(SIZE, 12, 12, 28, 28)


def ask(text, subject=None, landmarks=()):
    made = tuple(Word(w, "NOUN", 0) for w in text.split())
    scene = make_scene(*CORNERS, CENTRE)
    return Spatial().score(scene, [ParsedExpression(text, subject or text, landmarks, made)])[0]


@pytest.mark.parametrize(
    ("text", "best"),
    [("top left mug", 0), ("bottom right mug", 3), ("middle mug", 4), ("big mug", 4)],
)
def test_the_proposal_that_fits_the_words_best_comes_first(text, best):
    assert int(ask(text).scores.argmax()) == best


def test_a_side_alone_leaves_the_other_direction_open():
    scores = ask("left mug").scores

    assert scores[0] == scores[2] > scores[4] > scores[1] == scores[3]


def test_small_is_the_opposite_of_big():
    np.testing.assert_allclose(ask("small mug").scores, 1 - ask("big mug").scores, atol=1e-6)


def test_without_a_word_of_place_or_size_it_has_no_say():
    assert ask("the red mug").skipped_reason == "no location or size words"


def test_a_relation_between_things_is_not_its_business():
    found = ask("mug left of the plate", "mug", ("the plate",))

    assert found.skipped_reason
