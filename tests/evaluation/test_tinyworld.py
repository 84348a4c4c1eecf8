from dataclasses import replace

import pytest

from backend.evaluation import report, tinyworld
from backend.evaluation.tinyworld import Proposed, Sample
from backend.referring.global_local import PAPER, GlobalLocal
from backend.referring.pipeline import Pipeline
from backend.referring.ranking import RankingSettings
from tests.fakes import ColourEncoder, SquaresProposer, WordParser

FRAMING = replace(PAPER.framing, working_side=None)


@pytest.fixture(scope="module")
def pipeline():
    method = GlobalLocal(ColourEncoder(), replace(PAPER, framing=FRAMING, first_masked_block=1))
    return Pipeline(SquaresProposer(), WordParser(), (method,), RankingSettings(), "fake-1")


def sample(scene=0, kind="position", *, known=True, first=None):
    return Sample(scene, kind, False, 0.2, 0.5, known, first, first, first)


def test_scenes_are_the_same_for_the_same_seed_and_enough_to_choose_from():
    first, second = (list(tinyworld.worlds(3, split="train", seed=900_001)) for _ in range(2))

    assert [w.things for w in first] == [w.things for w in second]
    assert all(len(w.things) >= 2 for w in first)


def test_with_the_true_masks_the_scene_has_exactly_them(pipeline):
    world = next(tinyworld.worlds(1, split="train", seed=3))

    made, proposed = tinyworld.samples(pipeline, world, 0, propose=False)

    assert proposed is None
    assert {s.by_thing for s in made} == {1 / len(world.things)}
    assert all(s.first is None for s in made)


def test_held_out_pairs_are_marked(pipeline):
    made = [
        s
        for i, world in enumerate(tinyworld.worlds(4, split="novel", seed=5))
        for s in tinyworld.samples(pipeline, world, i, propose=False)[0]
    ]

    assert any(s.is_held_out for s in made)
    assert not all(s.is_held_out for s in made)


def test_attribute_and_size_are_one_row_and_so_are_ordinal_and_negation():
    figures = report.by_kind(
        [sample(0, "attribute"), sample(1, "size"), sample(2, "ordinal"), sample(3, "negation")]
    )

    assert figures["attribute"]["true masks"].count == 2
    assert figures["negation + ordinal"]["true masks"].count == 2
    assert figures["all"]["true masks"].count == 4


def test_a_scene_without_proposals_counts_as_a_miss():
    missed = [sample(0, first=True), sample(1, first=False)]

    assert report.by_kind(missed)["position"]["end to end"].mean == 0.5
    assert report.of_proposals([Proposed(0, 0, (0.0, 0.0))])["recall at IoU 0.5"].mean == 0


def test_the_mean_counts_each_kind_alike():
    made = [sample(i, "position", first=True) for i in range(9)]
    made += [sample(9, kind, first=False) for kind in ("category", "attribute", "relation")]

    assert report.end_to_end_mean(report.by_kind(made)) == 0.25
