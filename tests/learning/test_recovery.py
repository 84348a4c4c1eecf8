import pytest

from ris.learning.recovery import find_best_fixed, run_trial
from tests.learning.worlds import PRIOR, cases, mean_iou

METHODS = ("eyes", "ears")
CASES = cases(240, good=METHODS) + cases(240, good=METHODS, kind="size", seed=1)


@pytest.mark.parametrize("seed", range(3))
def test_learning_wins_back_most_of_what_a_deaf_method_costs(seed):
    found = run_trial(CASES, PRIOR, METHODS, seed, handicap=True)

    assert found.before < found.best
    assert found.recovery > 0.8


def test_with_nothing_to_win_nothing_is_lost():
    found = run_trial(CASES, PRIOR, METHODS, 0, handicap=False)

    assert found.after >= found.before


def test_the_best_fixed_fusion_is_at_least_as_good_as_the_one_there_was():
    found = cases(60) + cases(60, good=("ears",), kind="size", seed=2)
    best = find_best_fixed(found, PRIOR, METHODS)

    assert mean_iou(found, best) >= mean_iou(found, PRIOR)
    assert best.by_kind["size"].weights["ears"] > best.by_kind["size"].weights["eyes"]
