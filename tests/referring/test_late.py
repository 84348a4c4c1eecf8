"""What a vision-language model finds and the proposer missed is ranked, for that expression alone."""

from dataclasses import replace

import numpy as np
import pytest

from ris.core import rle
from ris.core.expression import ParsedExpression
from ris.core.types import Image
from ris.errors import EndpointError
from ris.referring.attributes import Attributes
from ris.referring.late import MAX_LATE_THINGS
from ris.referring.spatial import Spatial
from tests.builders.fakes import WordParser, squares
from tests.builders.late import Says, ShortSightedProposer, make_locating_pipeline, say_boxes
from tests.builders.services import make_pipeline as make_squares_pipeline

SIDE = 64
IMAGE = Image.from_pixels(squares(SIDE))
RED, GREEN, BLUE = (4, 4, 20, 20), (36, 4, 52, 20), (4, 36, 20, 52)
OTHERS = (*make_squares_pipeline().methods, Attributes(), Spatial())


def refer(text, expression="the red", *, missed=("red",), others=(), image=IMAGE, **settings):
    pipeline = make_locating_pipeline(Says(text), ShortSightedProposer(*missed), *others, **settings)
    return pipeline, pipeline.refer(pipeline.see(image), expression, image)


def say(*boxes):
    return say_boxes(*boxes, side=SIDE)


def test_a_thing_that_the_proposer_missed_is_offered_first():
    _, result = refer(say(RED), others=OTHERS)

    best = result.suggestions[0]
    assert (best.box, best.late_method) == (RED, "grounder")
    assert [one.method for one in result.late] == ["grounder"]
    assert [one.late_method for one in result.suggestions[1:]] == ["", ""]


def test_every_method_scores_the_late_proposals():
    pipeline, result = refer(say(RED), others=OTHERS)

    scored = {one.method: len(one.scores) for one in result.scores if not one.skipped_reason}
    assert scored == {"grounder": 4, "global-local": 4, "attributes": 4}
    whole = pipeline.see(IMAGE)
    assert result.list_masks(whole) == (*whole.masks, result.late[0].mask)


def test_the_scores_of_a_late_proposal_are_those_of_the_same_mask_from_the_proposer():
    pipeline, late = refer(say(RED), others=OTHERS[:1])
    seeing = replace(pipeline, proposer=ShortSightedProposer())
    known = seeing.refer(seeing.see(IMAGE), "the red", IMAGE)

    assert known.late == ()
    assert max(late.scores[1].scores) == pytest.approx(max(known.scores[1].scores))
    assert late.suggestions[0].mask == known.suggestions[0].mask


def test_late_proposals_are_those_of_one_expression():
    vlm = Says(lambda question: say(RED) if "red" in question.prompt else say(GREEN))
    pipeline = make_locating_pipeline(vlm, ShortSightedProposer("red"), *OTHERS)
    scene = pipeline.see(IMAGE)

    red, green = pipeline.refer_all(scene, ["the red", "the green"], IMAGE)

    assert (len(red.late), len(green.late)) == (1, 0)
    assert [len(one.scores) for one in green.scores[:2]] == [3, 3]
    assert (scene.late, len(vlm.asked)) == ((), 2)


def test_the_scene_of_an_image_without_any_proposal_can_still_get_one():
    _, result = refer(say(RED), missed=("red", "green", "blue", "yellow"), others=OTHERS)

    assert [one.box for one in result.suggestions] == [RED]


def test_a_mask_that_the_proposer_made_is_not_made_again():
    _, result = refer(say(GREEN))

    assert result.late == ()
    assert result.suggestions[0].box == GREEN


@pytest.mark.parametrize("text", [say((22, 22, 34, 34)), "There are none.", "Hm.", EndpointError("down")])
def test_without_a_thing_there_nothing_is_added_and_the_model_is_asked_once(text):
    pipeline, result = refer(text, others=OTHERS)

    assert result.late == ()
    assert len(result.suggestions) == 3
    assert len(pipeline.methods[0].vlm.asked) == 1


class Plural(WordParser):
    """Every expression refers to a number of things."""

    def __init__(self, count):
        self.count = count

    def parse(self, expression):
        return replace(super().parse(expression), count=self.count)


@pytest.mark.parametrize("count", [0, 2])
def test_several_things_become_one_alternative(count):
    pipeline = make_locating_pipeline(Says(say(RED, GREEN)), ShortSightedProposer("red", "green"))
    pipeline = replace(pipeline, parser=Plural(count))

    result = pipeline.refer(pipeline.see(IMAGE), "both", IMAGE)

    assert result.suggestions[0].box == (4, 4, 52, 20)
    assert result.suggestions[0].mask.area_px == 2 * 16 * 16
    assert len(result.late) == 3
    assert len({one.mask for one in result.suggestions}) == len(result.suggestions)


@pytest.mark.parametrize("count", [1, 3])
def test_things_that_are_not_as_many_as_named_stay_single(count):
    pipeline = make_locating_pipeline(Says(say(RED, GREEN)), ShortSightedProposer("red", "green"))
    pipeline = replace(pipeline, parser=Plural(count))

    result = pipeline.refer(pipeline.see(IMAGE), "both", IMAGE)

    assert {one.mask.area_px for one in result.late} == {16 * 16}


def test_a_model_without_weight_makes_no_proposals():
    pipeline, result = refer(say(RED), others=OTHERS, weights={"grounder": 0.0})

    assert (result.late, pipeline.proposer.boxes) == ((), [])
    assert result.scores[0].evidence["places"] == "box 4, 4, 20, 20"


def test_without_a_refiner_or_an_image_only_the_proposals_are_scored():
    pipeline, _ = refer(say(RED))
    scene = pipeline.see(IMAGE)

    assert pipeline.refer(scene, "the red").late == ()
    assert replace(pipeline, refiner=None).refer(scene, "the red", IMAGE).late == ()


def test_a_talkative_model_costs_no_more_than_some_calls_of_the_refiner():
    pipeline, _ = refer(say(*[(i, i, i + 8, i + 8) for i in range(40)]))

    assert len(pipeline.proposer.boxes) == MAX_LATE_THINGS


def test_late_masks_of_a_large_image_have_its_full_size():
    large = replace(IMAGE, full_size=(2 * SIDE, 2 * SIDE))

    _, result = refer(say(RED), image=large, others=OTHERS)

    assert result.suggestions[0].box == (8, 8, 40, 40)
    assert result.late[0].mask.size == (128, 128)
    assert rle.decode_rle(result.late[0].mask)[8:40, 8:40].mean() > 0.9


def test_a_late_mask_around_earlier_ones_makes_them_no_parts():
    without = refer("There are none.", "the green", others=OTHERS)[1]
    around = refer(say((0, 0, SIDE, SIDE)), "the green", others=OTHERS, weights={"grounder": 1e-9})[1]

    assert len(around.late) == 1
    assert around.suggestions[0].mask == without.suggestions[0].mask


def test_the_expression_is_that_of_the_annotator_in_every_parser():
    parsed = ParsedExpression("the red", "red", raw="the Red")
    vlm = Says(say(RED))
    pipeline = make_locating_pipeline(vlm, ShortSightedProposer("red"))

    (located,) = pipeline.methods[0].locate(pipeline.see(IMAGE), [parsed])

    assert located.things[0].box == pytest.approx(RED, abs=0.1)
    assert np.all(['"the Red"' in one.prompt for one in vlm.asked])
