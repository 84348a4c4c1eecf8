"""A model chooses between masks, and what it says only because of their numbers does not count."""

from dataclasses import replace

import numpy as np
import pytest

from ris.core.types import Image
from ris.errors import EndpointError, GroundingError
from ris.pretrained.endpoint.budget import CallBudget
from ris.pretrained.endpoint.client import ChatClient
from ris.pretrained.endpoint.picture import encode_jpeg
from ris.referring.ranking import RankingSettings
from ris.referring.spatial import Spatial
from ris.referring.verifier import MAX_QUESTIONS, Verifier, VerifierSettings, read_number
from tests.builders.fakes import COLOURS, squares
from tests.builders.late import Says
from tests.builders.services import make_pipeline
from tests.builders.vlm_server import Errors, VlmServer

SIDE = 64
IMAGE = Image.from_pixels(squares(SIDE))
BOXES = {  # XYXY in pixels, as `squares` draws
    name: (4 + 32 * (i % 2), 4 + 32 * (i // 2), 20 + 32 * (i % 2), 20 + 32 * (i // 2))
    for i, name in enumerate(COLOURS)
}
ALWAYS = VerifierSettings(margin=1.0)


def refer(vlm, expression="the odd one", settings=ALWAYS, **ranking):
    """The colours say nothing about "the odd one": all squares are as good."""
    ranking = RankingSettings(**{"temperatures": {"verifier": 0.1}, **ranking})
    pipeline = replace(make_pipeline(), ranking=ranking, verifier=Verifier(vlm, encode_jpeg, settings))
    return pipeline.refer(pipeline.see(IMAGE), expression, IMAGE)


@pytest.fixture
def server():
    with VlmServer() as server:
        yield server


def get_verdict(result):
    return next(one for one in result.scores if one.method == "verifier")


@pytest.mark.parametrize("name", COLOURS)
def test_the_mask_that_the_model_chooses_comes_first(server, name):
    server.tell(IMAGE.pixels, {"the odd one": [BOXES[name]]}, BOXES.values())

    result = refer(ChatClient(server.url, model="m"))

    assert result.suggestions[0].box == BOXES[name]
    assert get_verdict(result).evidence["questions"] == "2"
    assert get_verdict(result).absence == -1
    assert result.suggestions[0].methods["verifier"].score == 1


@pytest.mark.parametrize("words", ["1", "2", "3", "4", "A", "Number 3.", "the number is **4**"])
def test_a_judge_that_always_says_the_same_changes_nothing(words):
    without = make_pipeline()
    expected = without.refer(without.see(IMAGE), "the odd one", IMAGE)

    result = refer(Says(words))

    assert [one.mask for one in result.suggestions] == [one.mask for one in expected.suggestions]
    assert [one.score for one in result.suggestions] == [one.score for one in expected.suggestions]
    assert get_verdict(result).skipped_reason
    assert get_verdict(result).absence == 0


def test_between_two_masks_a_duel_decides(server):
    """The model says 1 to the first question, and answers the others rightly."""
    server.tell(IMAGE.pixels, {"the odd one": [BOXES["red"]]}, BOXES.values())
    client = ChatClient(server.url, model="m")
    asked = []

    class Hasty:
        model = "hasty"

        def ask(self, question):
            asked.append(question)
            return Says("1").ask(question) if len(asked) == 1 else client.ask(question)

    result = refer(Hasty())

    assert result.suggestions[0].box == BOXES["red"]
    assert "duel" in get_verdict(result).evidence["chosen"]
    assert len(asked) == MAX_QUESTIONS


def test_none_of_them_is_said_when_it_is_said_twice(server):
    server.tell(IMAGE.pixels, {"the odd one": []}, BOXES.values())

    result = refer(ChatClient(server.url, model="m"))

    assert get_verdict(result).absence == 1
    assert "says twice that it is none of them" in result.skipped_reasons["verifier"]
    assert len(result.suggestions) == 3


def test_where_the_others_are_sure_nothing_is_asked():
    vlm = Says("1")

    result = refer(vlm, "the red", VerifierSettings(margin=0.3), temperatures={"global-local": 0.1})

    assert vlm.asked == []
    assert "it is not asked" in result.skipped_reasons["verifier"]


@pytest.mark.parametrize(
    ("weights", "n_questions"), [({"verifier": 0.0}, 0), ({"verifier": 1.0}, 4), ({"global-local": 0.0}, 4)]
)
def test_a_model_without_weight_is_not_asked(weights, n_questions):
    vlm = Says("1")

    refer(vlm, weights=weights)

    assert len(vlm.asked) == n_questions


def test_never_more_calls_than_the_budget(server):
    server.tell(IMAGE.pixels, {"the odd one": [BOXES["red"]]}, BOXES.values())
    client = ChatClient(server.url, model="m", budget=CallBudget(1, 100))

    result = refer(client)

    assert len(server.asked) == 1
    assert get_verdict(result).evidence["questions"] == "2"
    assert "RIS_VLM_MAX_CALLS" in result.skipped_reasons["verifier"]
    assert len(result.suggestions) == 3


@pytest.mark.parametrize("failure", [EndpointError("the server is down"), "Hm.", "1 or 2", "7"])
def test_a_model_that_fails_costs_its_vote_and_no_prediction(failure):
    result = refer(Says(failure))

    assert result.skipped_reasons["verifier"]
    assert len(result.suggestions) == 3


def test_several_things_are_not_asked_for():
    vlm = Says("1")
    pipeline = make_pipeline()
    verifier = Verifier(vlm, encode_jpeg, ALWAYS)
    expression = replace(pipeline.parser.parse("the dogs"), count=0)
    scene = pipeline.see(IMAGE)

    said = verifier.verify(scene, IMAGE, expression, np.full(4, 0.25), RankingSettings())

    assert (said.skipped_reason, vlm.asked) == ("the expression refers to several things", [])


def test_a_server_that_lies_is_heard_only_if_it_tells_the_same_lie_twice(server):
    heard = 0
    server.errors = Errors(wrong=1)
    for number in range(12):
        words = f"the odd one, {number}"
        server.tell(IMAGE.pixels, {words: [BOXES["red"]]}, BOXES.values())
        server.scenes = server.scenes[-1:]
        result = refer(ChatClient(server.url, model="m"), words)
        heard += get_verdict(result).absence == -1

    assert heard < 7


@pytest.mark.parametrize(
    ("text", "number"),
    [("3", 3), (" 2.", 2), ("Number 4", 4), ("<think>1 or 2?</think>2", 2), ("0", 0), ("None of them.", 0),
     ("**1**", 1), ("[3]", 3), ('{"answer": 2}', 2), ("2, since 2 is red", 2)],
)  # fmt: skip
def test_a_number_is_read_from_what_stands_around_it(text, number):
    assert read_number(text, 4) == number


@pytest.mark.parametrize("text", ["", "5", "1 and 3", "Hm.", "12", "1.5", "<think>1"])
def test_an_answer_without_one_number_that_was_shown_is_refused(text):
    with pytest.raises(GroundingError):
        read_number(text, 4)


def test_the_verifier_is_a_method_among_the_others_in_lists():
    pipeline = replace(make_pipeline(), verifier=Verifier(Says("1"), encode_jpeg))

    assert pipeline.method_names == ("global-local", "verifier")
    assert make_pipeline().method_names == ("global-local",)
    assert Spatial().name not in pipeline.method_names
