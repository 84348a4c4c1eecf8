from dataclasses import replace

import numpy as np

from ris.core.types import Image
from ris.evaluation.tinyworld.ablations import GLOBAL_LOCAL_ABLATIONS, MemoisedDescriber, add_ablations
from ris.referring.global_local import GLOBAL_LOCAL_PAPER, GlobalLocal
from ris.referring.pipeline import Pipeline
from ris.referring.ranking import RankingSettings
from ris.referring.spatial import Spatial
from tests.builders.fakes import ColourEncoder, SquaresProposer, WordParser, squares


def test_every_switch_is_a_method_of_its_own_beside_the_others():
    method = GlobalLocal(ColourEncoder(), replace(GLOBAL_LOCAL_PAPER, first_masked_block=1))
    pipeline = Pipeline(SquaresProposer(), WordParser(), (method, Spatial()), RankingSettings(), "fake-1")

    turned = add_ablations(pipeline)

    assert [m.name for m in turned.methods] == [f"global-local: {name}" for name in GLOBAL_LOCAL_ABLATIONS]
    assert [m.settings.view_weight for m in turned.methods] == [0.95, 0.0, 1.0, 0.95, 0.95]
    assert len(turned.refer(turned.see(Image.from_pixels(squares())), "the red").scores) == 5


def test_a_switched_method_keeps_the_parser_of_the_method():
    own = WordParser()
    method = GlobalLocal(ColourEncoder(), replace(GLOBAL_LOCAL_PAPER, first_masked_block=1))
    pipeline = Pipeline(
        SquaresProposer(), WordParser(), (method,), RankingSettings(), "fake-1", parsers={method.name: own}
    )

    turned = add_ablations(pipeline)

    assert turned.parsers == {f"global-local: {name}": own for name in GLOBAL_LOCAL_ABLATIONS}


class Counting:
    model = "counting"

    def __init__(self):
        self.asked = []

    def look(self, image):
        return np.zeros(1)

    def describe(self, digest, looked, prompts):
        self.asked += prompts
        return [p.upper() for p in prompts]


def test_a_describer_is_asked_once_for_all_variants():
    counting = Counting()
    once = MemoisedDescriber(counting)

    assert once.describe("d", np.zeros(1), ["a", "b"]) == ["A", "B"]
    assert once.describe("d", np.zeros(1), ["b", "c", "c"]) == ["B", "C", "C"]
    assert once.describe("e", np.zeros(1), ["a"]) == ["A"]
    assert counting.asked == ["a", "b", "c", "a"]
