import numpy as np
import pytest

from ris.core.expression import ParsedExpression
from ris.core.types import Image
from ris.errors import EndpointError
from ris.pretrained.endpoint.client import ChatClient
from ris.pretrained.endpoint.picture import encode_jpeg
from ris.referring.grounder import (
    Grounder,
    choose_sent_size,
    measure_agreement,
    measure_joint_agreement,
)
from ris.referring.grounding.dialects import DIALECTS
from ris.referring.grounding.things import GroundedThing
from ris.referring.pipeline import Pipeline
from ris.referring.ranking import RankingSettings
from tests.builders.fakes import COLOURS, SquaresProposer, WordParser, squares
from tests.builders.late import Says
from tests.builders.vlm_answers import FAMILIES
from tests.builders.vlm_server import Errors, VlmServer

PIXELS = squares(64)
BOXES = {  # XYXY in pixels, as `squares` draws
    f"the {name}": (4 + 32 * (i % 2), 4 + 32 * (i // 2), 20 + 32 * (i % 2), 20 + 32 * (i // 2))
    for i, name in enumerate(COLOURS)
}


def make_pipeline(vlm, family="qwen3-vl"):
    method = Grounder(vlm, DIALECTS[family], encode_jpeg)
    proposer = SquaresProposer()
    settings = RankingSettings(temperatures={"grounder": 0.1})
    return Pipeline(proposer, WordParser(), (method,), settings, "v", refiner=proposer)


@pytest.fixture
def server():
    with VlmServer() as server:
        server.tell(PIXELS, {text: [box] for text, box in BOXES.items()}, BOXES.values())
        yield server


def refer(vlm, expression, family="qwen3-vl"):
    pipeline = make_pipeline(vlm, family)
    return pipeline.refer(pipeline.see(Image.from_pixels(PIXELS)), expression)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("expression", BOXES)
def test_the_proposal_that_the_model_means_is_first_in_every_dialect(server, family, expression):
    server.family = family

    result = refer(ChatClient(server.url, model="m"), expression, family)

    assert result.suggestions[0].box == BOXES[expression]


def test_several_things_each_find_their_proposal(server):
    server.tell(PIXELS, {"both": [BOXES["the red"], BOXES["the blue"]]})
    server.scenes = server.scenes[-1:]

    result = refer(ChatClient(server.url, model="m"), "both")

    assert {one.box for one in result.suggestions[:2]} == {BOXES["the red"], BOXES["the blue"]}


@pytest.mark.parametrize(
    ("answer", "why"),
    [("There are none.", "m says that there is no such thing"), ("Hm.", "no coordinates"),
     (EndpointError("the server is down"), "the server is down")],
)  # fmt: skip
def test_the_method_is_skipped_with_the_reason(answer, why):
    assert why in refer(Says(answer), "the red").skipped_reasons["grounder"]


def test_a_server_that_fails_does_not_stop_the_ranking(server):
    server.errors = Errors(failing=1)

    result = refer(ChatClient(server.url, model="m", retries=0), "the red")

    assert "answered 50" in result.skipped_reasons["grounder"]


def test_the_answer_is_the_evidence():
    result = refer(Says('{"bbox_2d": [62, 62, 312, 1312]}'), "the red")

    assert result.scores[0].evidence == {
        "places": "box 4, 4, 20, 64", "questions": "1",
        "notes": "coordinates beyond the image's edge were clipped",
    }  # fmt: skip


def test_one_expression_is_one_question_with_its_own_words():
    vlm = Says('{"bbox_2d": [0, 0, 500, 500]}')
    pipeline = make_pipeline(vlm)
    scene = pipeline.see(Image.from_pixels(PIXELS))

    pipeline.refer_all(scene, ["the Red one", "the blue one"])

    assert len(vlm.asked) == 2
    assert {one.task.partition(" ")[0] for one in vlm.asked} == {scene.digest}
    assert sorted('"the red one"' in one.prompt for one in vlm.asked) == [False, True]


def test_without_proposals_nothing_is_asked():
    vlm = Says("[]")
    pipeline = make_pipeline(vlm)

    result = pipeline.refer(pipeline.see(Image.from_pixels(np.zeros((8, 8, 3), np.uint8))), "the red")

    assert (result.suggestions, vlm.asked) == ((), [])


@pytest.mark.parametrize("size", [(480, 640), (640, 480), (4000, 6000), (10, 3000), (1, 1), (224, 224)])
def test_pictures_are_sent_in_multiples_of_224(size):
    height, width = choose_sent_size(size)

    assert height % 224 == width % 224 == 0
    assert max(height, width) == 1120


MASK = np.zeros((10, 10), np.bool_)
MASK[2:6, 2:6] = True


@pytest.mark.parametrize(
    ("thing", "agreement"),
    [
        (GroundedThing(box=(2, 2, 6, 6)), 1),
        (GroundedThing(box=(7, 7, 9, 9)), 0),
        (GroundedThing(box=(0, 0, 10, 10)), (0.16 + 1) / 2),
        (GroundedThing(points=((3, 3), (8, 8))), 0.5),
        (GroundedThing(points=((10, 10),)), 0),
        (GroundedThing(polygons=(((2, 2), (5, 2), (5, 5), (2, 5)),)), 1),
        (GroundedThing(box=(2, 2, 6, 6), points=((8, 8),)), 2 / 3),
    ],
)
def test_agreement_is_the_mean_of_what_the_model_gave(thing, agreement):
    assert measure_agreement(MASK, (2, 2, 6, 6), thing) == pytest.approx(agreement)


def test_the_model_is_asked_in_the_words_of_the_annotator():
    expression = ParsedExpression("the red", "red", raw="the Red")
    vlm = Says('{"bbox_2d": [0, 0, 500, 500]}')
    pipeline = make_pipeline(vlm)
    scene = pipeline.see(Image.from_pixels(PIXELS))

    pipeline.methods[0].score(scene, [expression])

    assert '"the Red"' in vlm.asked[0].prompt


def test_a_server_that_takes_no_schema_is_asked_without_one(server):
    server.takes_schema = False

    result = refer(ChatClient(server.url, model="m"), "the green")

    assert result.suggestions[0].box == BOXES["the green"]
    assert ["response_format" in asked for asked in server.asked] == [True, False]


@pytest.mark.parametrize(
    ("mask", "agreement"),
    [
        (MASK | np.roll(MASK, 4, (0, 1)), 1),
        (MASK, (0.5 + 1) / 2),
        (np.ones((10, 10), np.bool_), (1 + 0.32) / 2),
        (np.roll(MASK, (5, -2), (0, 1)), 0),
    ],
)
def test_of_several_things_together_a_mask_must_cover_each_and_nothing_else(mask, agreement):
    things = [GroundedThing(box=(2, 2, 6, 6)), GroundedThing(box=(6, 6, 10, 10))]

    assert measure_joint_agreement(mask, things) == pytest.approx(agreement)


def test_points_of_several_things_together_are_compared_with_the_whole_mask():
    things = [GroundedThing(points=((3, 3),)), GroundedThing(points=((8, 8),))]

    assert measure_joint_agreement(MASK, things) == pytest.approx(0.5)
