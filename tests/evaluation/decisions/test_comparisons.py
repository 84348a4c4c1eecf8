from dataclasses import replace

import pytest

from ris.core.types import Verdict
from ris.evaluation.decisions.comparisons import (
    compare_methods,
    compute_calibration,
    measure_position_bias,
)
from tests.builders.evaluated import (
    ACCEPTED,
    EVERYTHING,
    HALF,
    LEFT,
    NONE,
    OFFERS,
    RIGHT,
    make_decision,
    to_table,
)


def test_methods_are_compared_on_the_same_decisions():
    table = compare_methods(to_table(EVERYTHING))

    assert table["offered"][0].mean == pytest.approx(0.5 / 3)
    assert table["iterprime"][0].mean == pytest.approx(1 / 3)
    assert table["iterprime"][1].mean == pytest.approx((1 - 0.5) / 3)
    assert {own.count for own, _ in table.values()} == {3}


def test_calibration_sorts_scores_into_bins():
    right = [make_decision(Verdict.ACCEPTED, LEFT, rank=0) for _ in range(3)]

    assert compute_calibration(to_table([*right, ACCEPTED])) == [(1.0, 0.75, 4)]
    assert compute_calibration(to_table([NONE])) == []


def test_of_shuffled_tasks_the_place_of_the_accepted_is_told_apart_from_its_rank():
    swapped = tuple(replace(o, place=1 - o.suggestion.rank) for o in OFFERS)
    found = [
        make_decision(Verdict.ACCEPTED, RIGHT, rank=1, offers=swapped),
        make_decision(Verdict.ACCEPTED, LEFT, rank=0, offers=swapped, image="b.png"),
        make_decision(Verdict.ACCEPTED, RIGHT, rank=1, offers=swapped, image="c.png"),
        make_decision(Verdict.REDRAWN, HALF, offers=swapped, image="d.png"),
        ACCEPTED,
    ]

    told = [
        (place, stood.mean, ranked.mean, stood.count)
        for place, stood, ranked in measure_position_bias(to_table(found))
    ]

    assert told == [(0, 0.5, 0.25, 4), (1, 0.25, 0.5, 4)]
    assert measure_position_bias(to_table([ACCEPTED])) == []
