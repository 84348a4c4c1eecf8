"""Metrics of hand-made decisions, small enough to be computed by hand."""

import pytest

from ris.core.types import Verdict
from ris.evaluation.decisions.metrics import compute_decision_metrics
from tests.builders.evaluated import (
    ACCEPTED,
    EDITED,
    EVERYTHING,
    LEFT,
    NONE,
    REDRAWN,
    RIGHT,
    make_decision,
    to_table,
)


def mean(name, found=EVERYTHING):
    return compute_decision_metrics(to_table(found)).shares[name].mean


def test_every_decision_is_counted_by_its_verdict():
    assert compute_decision_metrics(to_table(EVERYTHING)).counts == {
        "accepted": 1, "edited": 1, "redrawn": 1, "no referent": 1, "skipped": 1,
    }  # fmt: skip


def test_acceptance_is_of_the_decisions_with_a_mask():
    assert mean("accepted") == pytest.approx(1 / 3)
    assert mean("accepted first") == 0
    assert mean("MRR of the accepted") == pytest.approx((1 / 2 + 0 + 0) / 3)
    assert compute_decision_metrics(to_table(EVERYTHING)).shares["accepted"].count == 3


def test_iou_is_of_the_first_and_of_the_best_and_nothing_offered_is_a_miss():
    assert mean("mean IoU, top 1") == pytest.approx((0 + 0.5 + 0) / 3)
    assert mean("mean IoU, best shown") == pytest.approx((1 + 0.5 + 0) / 3)
    assert mean("P@0.5, top 1") == 0  # 0.5 is not above 0.5
    assert mean("P@0.9, best shown") == pytest.approx(1 / 3)


def test_overall_iou_is_a_ratio_of_sums():
    # Intersections 0 + 20 + 0; unions 80 + 40 + 40: the last is a miss, its own mask counts.
    assert compute_decision_metrics(to_table(EVERYTHING)).o_iou == pytest.approx(20 / 160)


def test_an_edit_is_as_large_as_the_pixels_it_changed():
    assert (mean("IoU of an edit"), mean("boundary IoU of an edit")) == (0.5, 0.25)
    assert compute_decision_metrics(to_table(EVERYTHING)).edit_px == 20
    assert compute_decision_metrics(to_table([ACCEPTED])).edit_px is None


def test_lead_time_is_the_median_of_those_that_were_told():
    assert compute_decision_metrics(to_table([ACCEPTED, EDITED, REDRAWN])).lead_time_s == 6.0
    assert compute_decision_metrics(to_table([REDRAWN])).lead_time_s is None


def test_expressions_without_a_referent_have_their_own_figures():
    silent = make_decision(Verdict.NO_REFERENT, offers=())

    assert mean("N-acc", [NONE, silent]) == 0.5
    assert mean("T-acc") == pytest.approx(2 / 3)


def test_without_decisions_there_are_figures_of_nothing():
    empty = compute_decision_metrics(to_table([]))

    assert empty.o_iou == 0
    assert all(share.count == 0 for share in empty.shares.values())


def test_the_interval_draws_whole_images():
    same = [make_decision(Verdict.ACCEPTED, LEFT, rank=0, number=i) for i in range(4)]
    same += [make_decision(Verdict.ACCEPTED, RIGHT, rank=1, number=i) for i in range(4)]

    shares = compute_decision_metrics(to_table(same)).shares["mean IoU, top 1"]

    assert (shares.low, shares.mean, shares.high) == (0.5, 0.5, 0.5)  # one image: nothing varies
