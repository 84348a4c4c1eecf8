import math

import pytest

from ris.quality.ambiguity import compute_dissent, compute_entropy, compute_odds, find_ambiguous
from tests.builders.checked import checked_task, ranking


def test_the_entropy_is_0_for_one_alternative_and_1_for_equal_scores():
    assert compute_entropy(ranking(0.9)) == 0
    assert compute_entropy(ranking(0.9, 0.0)) == 0
    assert compute_entropy(ranking(0.0, 0.0)) == 0
    assert compute_entropy(ranking(0.2, 0.2, 0.2)) == pytest.approx(1)
    assert compute_entropy(ranking(0.3, 0.1)) == pytest.approx(
        -(0.75 * math.log(0.75) + 0.25 * math.log(0.25)) / math.log(2)
    )


def test_odds_are_of_the_two_best():
    assert compute_odds(ranking(0.6, 0.2, 0.1)) == pytest.approx(3)
    assert compute_odds(ranking(0.6)) == compute_odds(ranking(0.6, 0.0)) == math.inf


def test_dissent_is_the_share_of_methods_with_another_favourite():
    assert compute_dissent(ranking(0.6, favourites={"a": 0, "b": 0, "c": 1, "d": 2})) == 0.5
    assert compute_dissent(ranking(0.6)) == 0


def find(*scores, **more):
    return [
        one.kind.value
        for one in find_ambiguous(checked_task(1, ranking=ranking(*scores, **more)), min_entropy=0.9)
    ]


def test_scores_that_are_nearly_equal_are_ambiguous():
    assert find(0.3, 0.29, 0.28) == ["ambiguous"]
    assert find(0.8, 0.1, 0.05) == []
    assert find(0.8) == []
    assert list(find_ambiguous(checked_task(1), min_entropy=0.0)) == []


def test_two_chances_of_one_half_are_ambiguous_where_scores_are_chances():
    assert find(0.97, 0.5, 0.01, is_chance=True) == ["ambiguous"]
    assert find(0.97, 0.5, 0.01) == []
