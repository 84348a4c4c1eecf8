"""Metrics of hand-made decisions, small enough to be computed by hand."""

from datetime import timedelta

import numpy as np
import pytest

from ris.core.types import Verdict
from ris.evaluation.decisions.metrics import (
    compute_decision_metrics,
    group_decisions,
)
from tests.builders.evaluated import (
    ACCEPTED,
    EDITED,
    EVERYTHING,
    LEFT,
    MONDAY,
    NONE,
    REDRAWN,
    RIGHT,
    SIZE,
    make_evaluated,
    offer,
)
from tests.builders.masks import rectangle


def mean(name, found=EVERYTHING):
    return compute_decision_metrics(found).shares[name].mean


def test_every_decision_is_counted_by_its_verdict():
    assert compute_decision_metrics(EVERYTHING).counts == {
        "accepted": 1, "edited": 1, "redrawn": 1, "no referent": 1, "skipped": 1,
    }  # fmt: skip


def test_acceptance_is_of_the_decisions_with_a_mask():
    assert mean("accepted") == pytest.approx(1 / 3)
    assert mean("accepted first") == 0
    assert mean("MRR of the accepted") == pytest.approx((1 / 2 + 0 + 0) / 3)
    assert compute_decision_metrics(EVERYTHING).shares["accepted"].count == 3


def test_iou_is_of_the_first_and_of_the_best_and_nothing_offered_is_a_miss():
    assert ACCEPTED.ious == (0.0, 1.0)
    assert EDITED.ious == (0.5, 0.0)
    assert mean("mIoU of the first") == pytest.approx((0 + 0.5 + 0) / 3)
    assert mean("mIoU of the best") == pytest.approx((1 + 0.5 + 0) / 3)
    assert mean("P@0.5 of the first") == 0  # 0.5 is not above 0.5
    assert mean("P@0.9 of the best") == pytest.approx(1 / 3)


def test_overall_iou_is_a_ratio_of_sums():
    # Intersections 0 + 20 + 0; unions 80 + 40 + 40: the last is a miss, its own mask counts.
    assert compute_decision_metrics(EVERYTHING).o_iou == pytest.approx(20 / 160)


def test_an_edit_is_as_large_as_the_pixels_it_changed():
    assert EDITED.edit_px == 20
    assert ACCEPTED.edit_px is None
    assert (mean("IoU of an edit"), mean("boundary IoU of an edit")) == (0.5, 0.25)
    assert compute_decision_metrics(EVERYTHING).edit_px == 20
    assert compute_decision_metrics([ACCEPTED]).edit_px is None


def test_lead_time_is_the_median_of_those_that_were_told():
    assert compute_decision_metrics([ACCEPTED, EDITED, REDRAWN]).lead_time_s == 6.0
    assert compute_decision_metrics([REDRAWN]).lead_time_s is None


def test_expressions_without_a_referent_have_their_own_figures():
    silent = make_evaluated(Verdict.NO_REFERENT, offers=())

    assert mean("N-acc", [NONE, silent]) == 0.5
    assert mean("T-acc") == pytest.approx(2 / 3)


def test_without_decisions_there_are_figures_of_nothing():
    empty = compute_decision_metrics([])

    assert empty.o_iou == 0
    assert all(share.count == 0 for share in empty.shares.values())


def test_alternatives_of_another_size_have_nothing_in_common_with_the_final_mask():
    large = offer(0, rectangle((20, 20), 0, 0, 4, 10))

    assert make_evaluated(Verdict.REDRAWN, LEFT, offers=(large,)).ious == (0.0,)


def test_decisions_are_split_by_what_they_share():
    later = make_evaluated(Verdict.ACCEPTED, LEFT, rank=0, at=MONDAY + timedelta(days=7), annotator=None)

    assert {k: len(v) for k, v in group_decisions([ACCEPTED, later], "week").items()} == {
        "2026-W02": 1,
        "2026-W03": 1,
    }
    assert set(group_decisions([ACCEPTED, later], "annotator")) == {"7", "unknown"}
    assert set(group_decisions([ACCEPTED, REDRAWN], "version")) == {"v1", "nothing offered"}
    assert set(group_decisions([ACCEPTED], "kind")) == {"position"}
    assert set(group_decisions([ACCEPTED], "project")) == {"1.5"}


def test_the_interval_draws_whole_images():
    same = [make_evaluated(Verdict.ACCEPTED, LEFT, rank=0, number=i) for i in range(4)]
    same += [make_evaluated(Verdict.ACCEPTED, RIGHT, rank=1, number=i) for i in range(4)]

    shares = compute_decision_metrics(same).shares["mIoU of the first"]

    assert (shares.low, shares.mean, shares.high) == (0.5, 0.5, 0.5)  # one image: nothing varies


def test_one_picture_at_two_addresses_is_one_image():
    one, two = (
        make_evaluated(Verdict.ACCEPTED, LEFT, rank=0, image=i, digest="ab") for i in ("a.png", "b.png")
    )
    unseen = [
        make_evaluated(Verdict.ACCEPTED, LEFT, rank=0, image=i, digest=None) for i in ("a.png", "b.png")
    ]

    assert one.image == two.image
    assert unseen[0].image != unseen[1].image


def test_masks_are_compared_by_pixels_of_any_shape():
    rng = np.random.default_rng(0)
    one, two = rng.random(SIZE) > 0.5, rng.random(SIZE) > 0.5

    (iou,) = make_evaluated(Verdict.REDRAWN, one, offers=(offer(0, two),)).ious

    assert iou == pytest.approx((one & two).sum() / (one | two).sum())
