import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ris.core import rle
from ris.core.types import MethodScore, MethodScores
from ris.referring.ranking import (
    Calibration,
    Fusion,
    RankingSettings,
    compute_discounts,
    compute_distribution,
    compute_ranks,
    fuse_methods,
    make_suggestion_version,
    rank_proposals,
)
from tests.builders.masks import make_scene, rectangle

SIZE = (20, 20)
APART = [rectangle(SIZE, x, 0, x + 4, 4) for x in (0, 5, 10, 15)]


def opinion(*scores, method="global-local"):
    return MethodScores(method, np.array(scores, np.float32))


def order(scene, opinions, **settings):
    """Indices of the proposals that were suggested, best first."""
    found = rank_proposals(scene, opinions, RankingSettings(**settings), version="v")
    return [scene.masks.index(s.mask) for s in found]


def test_the_best_scores_come_first_and_at_most_so_many_leave():
    assert order(make_scene(*APART), [opinion(1, 4, 2, 3)], alternatives=3) == [1, 3, 2]


def test_equal_scores_keep_the_order_of_the_proposals():
    assert order(make_scene(*APART), [opinion(1, 2, 2, 2)], alternatives=4) == [1, 2, 3, 0]


def test_of_two_near_duplicates_only_the_better_one_leaves():
    twins = [*APART[:2], rectangle(SIZE, 5, 0, 9, 4) | rectangle(SIZE, 9, 0, 10, 1)]  # IoU 16/17

    assert order(make_scene(*twins), [opinion(1, 2, 3)], same_mask_iou=0.9) == [2, 0]


def test_a_part_of_another_mask_is_no_duplicate_of_it():
    car, wheel = rectangle(SIZE, 0, 0, 12, 8), rectangle(SIZE, 0, 4, 4, 8)

    assert order(make_scene(car, wheel), [opinion(2, 3)]) == [1, 0]


def test_a_part_must_be_clearly_better_than_the_whole():
    car, wheel = rectangle(SIZE, 0, 0, 12, 8), rectangle(SIZE, 0, 4, 4, 8)

    assert order(make_scene(car, wheel), [opinion(2, 2.2)]) == [0, 1]  # e^0.2 = 1.22 < 1 / 0.8
    assert order(make_scene(car, wheel), [opinion(2, 2.3)]) == [1, 0]  # e^0.3 = 1.35


def test_half_of_a_thing_beside_it_is_no_part():
    left, right = rectangle(SIZE, 0, 0, 6, 8), rectangle(SIZE, 5, 0, 10, 8)

    assert order(make_scene(left, right), [opinion(2, 2.1)]) == [1, 0]


def test_a_mask_of_the_whole_image_comes_after_all_others():
    everything, dog = rectangle(SIZE, 0, 0, 20, 20), rectangle(SIZE, 0, 4, 4, 8)

    assert order(make_scene(everything, dog), [opinion(9, 1)]) == [1, 0]


def together(count, *scores, masks=APART):
    found = rank_proposals(
        make_scene(*masks), [opinion(*scores)], RankingSettings(), count=count, version="v"
    )
    return [rle.decode_rle(s.mask) for s in found], found


def test_two_things_that_were_counted_come_first_as_one_mask():
    masks, found = together(2, 1, 4, 2, 3)

    assert (masks[0] == APART[1] | APART[3]).all()
    assert (masks[1] == APART[1]).all()
    assert (masks[2] == APART[3]).all()
    assert found[0].box == (5.0, 0.0, 19.0, 4.0)
    assert found[0].methods["global-local"] == MethodScore(3.5, 0)
    assert found[0].score == pytest.approx(found[1].score + found[2].score)
    assert [s.rank for s in found] == [0, 1, 2]


def test_several_that_nobody_counted_are_all_that_are_nearly_as_probable():
    masks, _ = together(0, 4.0, 3.9, 3.8, 1.0)

    assert (masks[0] == APART[0] | APART[1] | APART[2]).all()


def test_one_that_stands_out_is_alone_however_it_was_worded():
    masks, _ = together(0, 9, 1, 1, 1)

    assert (masks[0] == APART[0]).all()


def test_overlapping_masks_are_not_counted_as_two():
    dog, most_of_it, other = rectangle(SIZE, 0, 0, 8, 8), rectangle(SIZE, 0, 0, 8, 6), APART[3]

    masks, _ = together(2, 3, 2.9, 1, masks=(dog, most_of_it, other))

    assert (masks[0] == dog | other).all()


def test_fewer_than_were_counted_give_no_union():
    masks, _ = together(5, 1, 4, 2, 3)

    assert (masks[0] == APART[1]).all()


def test_each_suggestion_tells_every_methods_score_and_rank():
    scene = make_scene(*APART)
    opinions = [opinion(4, 1, 2, 3), opinion(0.1, 0.9, 0.2, 0.3, method="lgd")]

    best = rank_proposals(
        scene, opinions, RankingSettings(weights={"lgd": 9.0}, temperatures={"lgd": 0.05}), version="v"
    )[0]

    assert best.mask == rle.encode_rle(APART[1])
    assert best.methods["global-local"] == MethodScore(1.0, 3)
    assert best.methods["lgd"] == MethodScore(pytest.approx(0.9), 0)


def test_a_method_without_a_vote_is_shown_and_changes_nothing():
    asked, silent = opinion(1, 2, 3, 4), opinion(9, 1, 1, 1, method="spatial")
    settings = RankingSettings(weights={"spatial": 0.0})

    alone = rank_proposals(make_scene(*APART), [asked], settings, version="v")
    beside = rank_proposals(make_scene(*APART), [asked, silent], settings, version="v")

    assert [(s.mask, s.score) for s in beside] == [(s.mask, s.score) for s in alone]
    assert set(beside[0].methods) == {"global-local", "spatial"}
    assert rank_proposals(make_scene(*APART), [silent], settings, version="v") == ()


def test_what_one_method_rules_out_needs_much_from_the_others():
    fused = fuse_methods([opinion(5, 5, 0), opinion(0, 5, 5, method="lgd")], RankingSettings())

    assert fused.argmax() == 1
    assert fused[1] > fused[0] + fused[2]


def test_the_fusion_is_the_geometric_mean_of_the_distributions():
    one, two = np.array([1, 2, 3], np.float32), np.array([3, 1, 1], np.float32)
    p, q = compute_distribution(one, 2.0), compute_distribution(two, 0.5)
    wanted = p ** (1 / 3) * q ** (2 / 3)

    fused = fuse_methods(
        [MethodScores("a", one), MethodScores("b", two)],
        RankingSettings(temperatures={"a": 2.0, "b": 0.5}, weights={"a": 1.0, "b": 2.0}),
    )

    np.testing.assert_allclose(fused, wanted / wanted.sum())


def test_scores_are_probabilities_among_all_proposals():
    fused = fuse_methods([opinion(1, 2, 3, 4), opinion(4, 3, 2, 1, method="lgd")], RankingSettings())

    assert fused.sum() == pytest.approx(1)
    np.testing.assert_allclose(fused, fused[::-1])


def test_a_lower_temperature_makes_a_method_surer():
    scores = np.array([1, 2], np.float32)

    assert compute_distribution(scores, 0.1)[1] > compute_distribution(scores, 10.0)[1] > 0.5


def test_a_weight_of_nought_silences_a_method():
    loud, silent = opinion(1, 2, 3, 4), opinion(400, 3, 2, 1, method="lgd")

    settings = RankingSettings(weights={"lgd": 0.0})

    np.testing.assert_allclose(
        fuse_methods([loud, silent], settings), fuse_methods([loud], settings), atol=1e-12
    )


def test_a_method_that_was_left_out_has_no_say():
    left_out = MethodScores("lgd", skipped_reason="the describer is down")

    found = rank_proposals(
        make_scene(*APART), [opinion(1, 4, 2, 3), left_out], RankingSettings(), version="v"
    )

    assert [set(s.methods) for s in found] == [{"global-local"}] * 3


def test_another_number_of_alternatives_is_another_version_of_the_suggestions():
    assert make_suggestion_version("tiny-1a2b3c4d", 3) == "tiny-1a2b3c4d"
    assert make_suggestion_version("tiny-1a2b3c4d", 5) == "tiny-1a2b3c4d-top5"


def test_without_proposals_or_opinions_there_is_nothing_to_suggest():
    empty = make_scene(*APART[:0])

    assert rank_proposals(empty, [opinion()], RankingSettings(), version="v") == ()
    assert (
        rank_proposals(
            make_scene(*APART), [MethodScores("lgd", skipped_reason="down")], RankingSettings(), version="v"
        )
        == ()
    )


def test_places_start_at_nought_for_the_best():
    assert compute_ranks(np.array([0.5, 0.9, 0.5])).tolist() == [1, 0, 2]


def test_a_kind_of_expression_has_its_own_fusion_and_the_others_keep_the_common_one():
    own = Fusion({"lgd": 2.0}, {"lgd": 0.5})
    settings = RankingSettings(temperatures={"lgd": 1.0}, by_kind={"relation": own})

    assert settings.select_kind("relation").coefficients.fusion == own
    assert settings.select_kind("size") is settings


@given(st.lists(st.floats(0, 1), min_size=2, max_size=5), st.floats(0.1, 5), st.floats(-5, 5))
def test_a_calibration_keeps_the_order(probabilities, slope, intercept):
    calibration = Calibration(slope, intercept)
    chances = [calibration.compute_chance(p) for p in sorted(probabilities)]

    assert chances == sorted(chances)
    assert all(0 <= chance <= 1 for chance in chances)


def test_the_calibration_of_nothing_learned_changes_nothing():
    assert Calibration().compute_chance(0.3) == pytest.approx(0.3)


def test_a_late_proposal_makes_no_earlier_one_a_part_and_can_be_one():
    whole, wheel = rectangle(SIZE, 0, 0, 10, 10), rectangle(SIZE, 0, 0, 4, 4)

    def discount(*masks, n_late):
        codes = [rle.encode_rle(mask) for mask in masks]
        return compute_discounts(codes, RankingSettings(), n_late=n_late).tolist()

    assert discount(wheel, whole, n_late=0) == [0.8, 1]
    assert discount(wheel, whole, n_late=1) == [1, 1]
    assert discount(whole, wheel, n_late=1) == [1, 0.8]
