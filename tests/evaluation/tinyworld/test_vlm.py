"""With a proposer that gives the quarters of a picture, so that every figure is known."""

import pytest

from ris.core import rle
from ris.evaluation.tinyworld.drawn_model import DrawnModel
from ris.evaluation.tinyworld.samples import make_worlds
from ris.evaluation.tinyworld.vlm import (
    is_any_right,
    make_absent_expression,
    rank_scene,
    recover_planted_misses,
    see_scenes,
)
from tests.builders.masks import rectangle
from tests.builders.quarters import make_quarters_pipeline

SIZE = (20, 20)
LEFT, RIGHT = (rle.encode_rle(rectangle(SIZE, x, 0, x + 10, 20)) for x in (0, 10))


@pytest.fixture(scope="module")
def model():
    return DrawnModel(1.0)


@pytest.fixture(scope="module")
def pipeline(model):
    return make_quarters_pipeline(model)


@pytest.fixture(scope="module")
def asked(pipeline):
    """Scenes whose referents fill most of their boxes, so that the refiner's ellipses are right."""
    return list(see_scenes(pipeline, 2, seed=1234, per_scene=2))


@pytest.mark.parametrize("number", range(5))
def test_an_expression_without_a_referent_names_a_kind_that_is_not_there(number):
    world = next(make_worlds(1, split="train", seed=2000 + number))

    noun = make_absent_expression(world, number).removeprefix("the ")

    assert noun not in {thing.noun for thing in world.things}


def test_every_scene_has_expressions_with_a_referent_and_one_without(asked):
    for one in asked:
        assert [mask is None for mask in one.referents.values()] == [True, False, False]
        assert one.boxes.keys() == one.referents.keys()
        assert len(one.scene.masks) == 4


def test_what_a_right_model_says_is_right_in_every_outcome(pipeline, model, asked):
    outcomes = [outcome for one in asked for outcome in rank_scene(pipeline, one, model)]

    there = [one for one in outcomes if one.referent is not None]
    assert len(there) == 4
    assert all(one.is_right(1) for one in there)
    assert not any(one.is_called_absent for one in there)
    assert all(one.is_called_absent for one in outcomes if one.referent is None)
    assert all(one.n_questions for one in outcomes)
    assert all(len(one.early_masks) == 4 for one in outcomes)


def test_late_proposals_have_what_was_taken_away(pipeline, model, asked):
    liar = DrawnModel(0.0)

    assert [recover_planted_misses(pipeline, one, model) for one in asked] == [[True, True]] * 2
    assert recover_planted_misses(make_quarters_pipeline(liar), asked[0], liar) == [False, False]


def test_right_is_an_iou_above_a_half():
    assert is_any_right([LEFT, RIGHT], RIGHT)
    assert not is_any_right([LEFT], RIGHT)
    assert not is_any_right([], RIGHT)
    assert not is_any_right([LEFT], None)
