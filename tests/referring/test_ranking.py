import numpy as np
import pytest

from backend.core import rle
from backend.core.types import MethodScore, Scored
from backend.referring.ranking import RankingSettings, distribution, fuse, places, rank
from tests.build import make_scene, rectangle

SIZE = (20, 20)
APART = [rectangle(SIZE, x, 0, x + 4, 4) for x in (0, 5, 10, 15)]


def opinion(*scores, method="global-local"):
    return Scored(method, np.array(scores, np.float32))


def order(scene, opinions, **settings):
    """Indices of the proposals that were suggested, best first."""
    found = rank(scene, opinions, RankingSettings(**settings), version="v")
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


def test_each_suggestion_tells_every_methods_score_and_rank():
    scene = make_scene(*APART)
    opinions = [opinion(4, 1, 2, 3), opinion(0.1, 0.9, 0.2, 0.3, method="lgd")]

    best = rank(
        scene, opinions, RankingSettings(weights={"lgd": 9.0}, temperatures={"lgd": 0.05}), version="v"
    )[0]

    assert best.mask == rle.encode(APART[1])
    assert best.methods["global-local"] == MethodScore(1.0, 3)
    assert best.methods["lgd"] == MethodScore(pytest.approx(0.9), 0)


def test_scores_are_probabilities_among_all_proposals():
    fused = fuse([opinion(1, 2, 3, 4), opinion(4, 3, 2, 1, method="lgd")], RankingSettings())

    assert fused.sum() == pytest.approx(1)
    np.testing.assert_allclose(fused, fused[::-1])


def test_a_lower_temperature_makes_a_method_surer():
    scores = np.array([1, 2], np.float32)

    assert distribution(scores, 0.1)[1] > distribution(scores, 10.0)[1] > 0.5


def test_a_weight_of_nought_silences_a_method():
    loud, silent = opinion(1, 2, 3, 4), opinion(400, 3, 2, 1, method="lgd")

    settings = RankingSettings(weights={"lgd": 0.0})

    np.testing.assert_allclose(fuse([loud, silent], settings), fuse([loud], settings))


def test_a_method_that_was_left_out_has_no_say():
    left_out = Scored("lgd", left_out="the describer is down")

    found = rank(make_scene(*APART), [opinion(1, 4, 2, 3), left_out], RankingSettings(), version="v")

    assert [set(s.methods) for s in found] == [{"global-local"}] * 3


def test_without_proposals_or_opinions_there_is_nothing_to_suggest():
    empty = make_scene(*APART[:0])

    assert rank(empty, [opinion()], RankingSettings(), version="v") == ()
    assert rank(make_scene(*APART), [Scored("lgd", left_out="down")], RankingSettings(), version="v") == ()


def test_places_start_at_nought_for_the_best():
    assert places(np.array([0.5, 0.9, 0.5])).tolist() == [1, 0, 2]
