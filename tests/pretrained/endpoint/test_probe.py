import pytest

from ris.errors import EndpointError
from ris.pretrained.endpoint.client import ChatClient
from ris.pretrained.endpoint.probe import probe_model
from ris.referring.grounding.dialects import read_grounding
from ris.referring.grounding.probe_pictures import draw_probe_pictures
from tests.builders.vlm_answers import FAMILIES, resize_by_28, write_answer
from tests.builders.vlm_server import Errors, VlmServer

NAMES = {"visionreasoner": "VisionReasoner-7B", "box-tags": "InternVL2_5-8B"}
SENT, BOX = (672, 1120), (0.25, 0.5, 0.5, 0.75)


@pytest.fixture
def server():
    with VlmServer() as server:
        yield server


def probe(server, name):
    return probe_model(ChatClient(server.url, model=name, retries=0))


def read_back(server, finding, distort=lambda box: box):
    (thing, *_) = read_grounding(
        write_answer(server.family, [distort(BOX)], SENT),
        finding.make_dialect(),
        sent=SENT,
        displayed=(1000, 1000),
    ).things
    outline = [point for polygon in thing.polygons for point in polygon] or thing.points
    box = thing.box or (*map(min, zip(*outline, strict=True)), *map(max, zip(*outline, strict=True)))
    return [side / 1000 for side in box]


@pytest.mark.parametrize("name", ["", "some-model"])
@pytest.mark.parametrize("family", FAMILIES)
def test_the_dialect_of_a_server_is_found_whatever_its_model_is_called(server, family, name):
    server.family = family

    finding = probe(server, name or NAMES.get(family, f"lab/{family}-8b"))

    assert finding.accuracy == 1
    assert finding.says_none
    found = read_back(server, finding)
    true = BOX if "molmo" not in family else (0.375, 0.625, 0.375, 0.625)
    assert found == pytest.approx(true, abs=0.003)


def test_a_name_that_suggests_another_family_is_no_verdict(server):
    server.family = "gemini"

    finding = probe(server, "qwen3-vl-8b")

    assert finding.reading.is_row_first
    assert finding.keys == ("box_2d",)


def test_a_server_that_pads_its_pictures_to_a_square_is_read_rightly(server):
    def pad(box, sent):
        height, width = sent
        longest = max(sent)
        return tuple(side * (width, height)[i % 2] / longest for i, side in enumerate(box))

    server.distort = pad

    assert probe(server, "qwen3-vl").reading.frame == "padded"


def test_a_drift_is_found_and_corrected(server):
    def drift(box, sent=None):
        return tuple(0.85 * side + 0.04 for side in box)

    server.distort = drift
    finding = probe(server, "qwen3-vl")

    assert finding.reading.gain == pytest.approx((0.85, 0.85), abs=0.01)
    assert read_back(server, finding, drift) == pytest.approx(BOX, abs=0.01)
    assert "drift of 15 % is corrected" in finding.summary


@pytest.mark.parametrize(
    "errors", [Errors(prose=1), Errors(wrong=1), Errors(none=1), Errors(shifted=1), Errors(cut=1),
               Errors(swapped=0.5), Errors(wrong=0.5)]
)  # fmt: skip
def test_a_server_whose_answers_fit_no_reading_is_refused_with_a_sentence(server, errors):
    server.errors = errors

    with pytest.raises(EndpointError, match="is not asked where things are: no reading fits"):
        probe(server, "qwen3-vl")


def test_a_few_wrong_answers_are_said_and_accepted(server):
    def misplace(box, sent):
        return (0, 0, 0.1, 0.1) if sent == (672, 672) and box[0] > 0.6 else box

    server.distort = misplace

    assert probe(server, "qwen3-vl").accuracy == 11 / 12


def test_a_server_that_is_down_is_told_as_it_is(server):
    server.refusals = [401]

    with pytest.raises(EndpointError, match="answered 401"):
        probe(server, "qwen3-vl")


def test_pictures_are_sent_in_sizes_that_qwen_does_not_change(server):
    probe(server, "qwen3-vl")

    assert all(resize_by_28(*picture.size) == picture.size for picture in draw_probe_pictures())
