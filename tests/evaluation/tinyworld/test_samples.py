from dataclasses import replace

import numpy as np
import pytest

from ris.core.types import MethodScores
from ris.evaluation.rankings import FUSION
from ris.evaluation.tinyworld import samples as tinyworld
from ris.evaluation.tinyworld import tables as report
from ris.evaluation.tinyworld.samples import MISSED_PLACE, ProposalOutcome, TinyworldOutcome
from ris.referring.global_local import GLOBAL_LOCAL_PAPER, GlobalLocal
from ris.referring.pipeline import Pipeline, ReferResult
from ris.referring.ranking import RankingSettings, rank_proposals
from tests.builders.fakes import ColourEncoder, SquaresProposer, WordParser
from tests.builders.masks import make_proposals, make_scene, rectangle

FRAMING = replace(GLOBAL_LOCAL_PAPER.framing, working_side=None)


@pytest.fixture(scope="module")
def pipeline():
    method = GlobalLocal(ColourEncoder(), replace(GLOBAL_LOCAL_PAPER, framing=FRAMING, first_masked_block=1))
    return Pipeline(SquaresProposer(), WordParser(), (method,), RankingSettings(), "fake-1")


def sample(scene=0, kind="position", *, known=0, found=None, ceiling=None):
    found = None if found is None else {FUSION: found, "lgd": MISSED_PLACE}
    return TinyworldOutcome(
        scene, kind, False, 0.2, 0.5, {FUSION: known, "lgd": MISSED_PLACE}, found, ceiling
    )


def test_scenes_are_the_same_for_the_same_seed_and_enough_to_choose_from():
    first, second = (list(tinyworld.make_worlds(3, split="train", seed=900_001)) for _ in range(2))

    assert [w.things for w in first] == [w.things for w in second]
    assert all(len(w.things) >= 2 for w in first)


def test_with_the_true_masks_the_scene_has_exactly_them(pipeline):
    world = next(tinyworld.make_worlds(1, split="train", seed=3))

    made, proposed = tinyworld.evaluate_world(pipeline, world, 0, propose=False)

    assert proposed is None
    assert {s.chance_by_thing for s in made} == {1 / len(world.things)}
    assert all(s.places_with_proposals is None for s in made)
    assert all(s.places_with_true_masks["global-local"] < len(world.things) for s in made)


def test_held_out_pairs_are_marked(pipeline):
    made = [
        s
        for i, world in enumerate(tinyworld.make_worlds(4, split="novel", seed=5))
        for s in tinyworld.evaluate_world(pipeline, world, i, propose=False)[0]
    ]

    assert any(s.is_held_out for s in made)
    assert not all(s.is_held_out for s in made)


class Halves:
    """Proposes the left and the right half of every image."""

    def propose(self, image):
        height, width = image.size
        half = width // 2
        return make_proposals(
            rectangle(image.size, 0, 0, half, height), rectangle(image.size, half, 0, width, height)
        )


def test_end_to_end_there_is_a_place_for_every_ranking_and_the_oracle(pipeline):
    world = next(tinyworld.make_worlds(1, split="train", seed=3))

    made, proposed = tinyworld.evaluate_world(replace(pipeline, proposer=Halves()), world, 0, propose=True)

    assert (proposed.n_proposals, len(proposed.best_ious)) == (2, len(world.things))
    assert all(set(s.places_with_proposals) == {FUSION, "global-local"} for s in made)
    value = report.make_end_to_end_metric(1)(made[0])
    assert set(value) == {"global-local", FUSION, "oracle"}


def test_a_method_that_says_the_same_of_all_has_no_say():
    masks = [rectangle((8, 8), x, 0, x + 2, 2) for x in (0, 3, 6)]
    scene = make_scene(*masks)
    opinions = (
        MethodScores("flat", np.zeros(3, np.float32)),
        MethodScores("down", skipped_reason="down"),
        MethodScores("sure", np.array([0, 2, 1], np.float32)),
    )
    ranked = rank_proposals(scene, opinions[2:], RankingSettings(), version="v")

    places = tinyworld._find_places(scene, ReferResult(ranked, opinions, "v"), np.array([False, False, True]))

    assert places == {FUSION: 1, "flat": MISSED_PLACE, "down": MISSED_PLACE, "sure": 1}


def test_attribute_and_size_are_one_row_and_so_are_ordinal_and_negation():
    figures = report.tabulate_by_kind(
        [sample(0, "attribute"), sample(1, "size"), sample(2, "ordinal"), sample(3, "negation")],
        report.make_true_mask_metric(1),
    )

    assert figures["attribute"][FUSION].count == 2
    assert figures["negation + ordinal"][FUSION].count == 2
    assert figures["all"][FUSION].count == 4


def test_the_first_three_hold_the_first():
    made = [sample(0, known=0), sample(1, known=2), sample(2, known=MISSED_PLACE)]

    first, three = (
        report.tabulate_by_kind(made, report.make_true_mask_metric(k))["position"][FUSION].mean
        for k in (1, 3)
    )

    assert (first, three) == (pytest.approx(1 / 3), pytest.approx(2 / 3))


def test_a_scene_without_proposals_counts_as_a_miss():
    missed = [sample(0, found=0, ceiling=True), sample(1, found=MISSED_PLACE, ceiling=False)]

    assert report.tabulate_by_kind(missed, report.make_end_to_end_metric(1))["position"][FUSION].mean == 0.5
    assert report.compute_proposal_metrics([ProposalOutcome(0, 0, (0.0, 0.0))])["recall at IoU 0.5"].mean == 0


def test_the_mean_counts_each_kind_alike():
    made = [sample(i, "position", found=0) for i in range(9)]
    made += [sample(9, kind, found=MISSED_PLACE) for kind in ("category", "attribute", "relation")]

    assert (
        report.compute_end_to_end_mean(report.tabulate_by_kind(made, report.make_end_to_end_metric(1)))
        == 0.25
    )


def test_a_gain_is_paired_on_the_same_expressions():
    made = [sample(i, "relation", known=0 if i < 3 else MISSED_PLACE) for i in range(4)]
    made += [sample(9, "position", known=0)]

    gained = report.compute_gain(made, FUSION, "lgd", ["relation"])

    assert (gained.mean, gained.count) == (0.75, 4)
