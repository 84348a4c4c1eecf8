"""A picture of four coloured squares and "the red one": a complete referring task, without a network."""

from dataclasses import replace

import numpy as np
import pytest

from ris.core import rle
from ris.core.types import Image
from ris.referring.global_local import GLOBAL_LOCAL_PAPER, GlobalLocal
from ris.referring.pipeline import Pipeline
from ris.referring.ranking import RankingSettings
from tests.builders.fakes import COLOURS, ColourEncoder, SquaresProposer, WordParser, squares

FRAMING = replace(
    GLOBAL_LOCAL_PAPER.framing, mean=(0, 0, 0), std=(1, 1, 1), working_side=None, background=(0, 0, 0),
    box_rule="tight",
    antialias=True, grid_antialias=True,
)  # fmt: skip
SETTINGS = replace(GLOBAL_LOCAL_PAPER, framing=FRAMING, first_masked_block=1)


@pytest.fixture
def pipeline():
    method = GlobalLocal(ColourEncoder(), SETTINGS)
    return Pipeline(SquaresProposer(), WordParser(), (method,), RankingSettings(alternatives=3), "fake-1")


@pytest.mark.parametrize("colour", COLOURS)
def test_the_named_square_comes_first(pipeline, colour):
    image = Image.from_pixels(squares())

    found = pipeline.refer(pipeline.see(image), f"the {colour}").suggestions

    wanted = np.all(image.pixels == np.array(COLOURS[colour]) * 255, axis=-1)
    assert (rle.decode_rle(found[0].mask) == wanted).all()
    assert [s.rank for s in found] == [0, 1, 2]
    assert {s.version for s in found} == {"fake-1"}


def test_suggestions_have_the_box_of_their_mask(pipeline):
    best = pipeline.refer(pipeline.see(Image.from_pixels(squares())), "the red").suggestions[0]

    assert best.box == (2.0, 2.0, 10.0, 10.0)


def test_an_image_is_seen_once_for_all_its_expressions(pipeline):
    scene = pipeline.see(Image.from_pixels(squares()))
    for colour in COLOURS:
        pipeline.refer(scene, f"the {colour}")

    assert pipeline.proposer.calls == 1
    assert pipeline.methods[0].encoder.calls["pictures"] == 1


def test_an_image_without_proposals_has_no_suggestions(pipeline):
    scene = pipeline.see(Image.from_pixels(np.zeros((16, 16, 3), np.uint8)))

    assert pipeline.refer(scene, "the red").suggestions == ()


@pytest.mark.parametrize(
    "words", ["", "   ", "赤い四角", "🟥", "red " * 2000], ids=["empty", "blank", "kanji", "emoji", "long"]
)
def test_odd_wording_never_raises(pipeline, words):
    assert len(pipeline.refer(pipeline.see(Image.from_pixels(squares())), words).suggestions) == 3


def test_a_method_reads_with_a_parser_of_its_own_and_the_others_with_the_pipelines(pipeline):
    class Counting(WordParser):
        def __init__(self):
            self.read = []

        def parse(self, expression):
            self.read.append(expression)
            return super().parse(expression.replace("mine", "red"))

    usual, own = Counting(), Counting()
    methods = tuple(replace(pipeline.methods[0], name=name) for name in ("a", "b", "c"))
    chosen = replace(pipeline, parser=usual, methods=methods, parsers={"b": own, "c": own})

    (reference,) = chosen.refer_all(chosen.see(Image.from_pixels(squares())), ["the mine"])

    assert (usual.read, own.read) == (["the mine"], ["the mine"])  # each reads once
    assert [o.evidence["noun phrase"] for o in reference.scores] == ["red"] * 3


def test_masks_and_boxes_of_an_image_that_was_shrunk_are_of_its_full_size(pipeline):
    small = Image.from_pixels(squares())
    size = (2 * small.size[0] - 1, 2 * small.size[1])

    scene = pipeline.see(replace(small, full_size=size))

    best = pipeline.refer(scene, "the red").suggestions[0]
    assert (scene.size, best.mask.size) == (size, size)
    assert best.mask == rle.enlarge_rle(pipeline.see(small).masks[scene.masks.index(best.mask)], size)
    x1, y1, x2, y2 = best.box
    assert rle.compute_xywh_box(best.mask) == [x1, y1, x2 - x1, y2 - y1]
