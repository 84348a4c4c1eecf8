"""The metrics of the papers, on rows for which they can be computed by hand."""

import json

import pytest

from ris.evaluation.refcoco.metrics import compute_ranking_metrics, compute_split_metrics
from ris.evaluation.refcoco.outcome import BenchmarkOutcome
from ris.evaluation.refcoco.results import to_table


def row(intersection, union, *, sample=0, image="a", iou=None, has_referent=True, mask="04", **more):
    iou = (intersection / union if union else 0.0) if iou is None else iou
    values = {"dataset": "refcoco", "split_by": "unc", "split": "val", "method": "lgd", "reason": ""} | more
    return BenchmarkOutcome(
        image=image, sample=sample, expression="x", has_referent=has_referent, intersection_px=intersection,
        union_px=union, iou=iou, mask=mask, height=4, width=8, model_version="fake-1", seconds=0.5, **values,
    )  # fmt: skip


def of(*rows):
    return compute_ranking_metrics(to_table(rows))


def test_oiou_weighs_pixels_and_miou_expressions():
    found = of(row(90, 100), row(1, 10), row(0, 10))

    assert found.o_iou == 91 / 120
    assert found.m_iou.mean == pytest.approx(1 / 3)
    assert found.seconds == 0.5


def test_a_miss_counts_in_both():
    """GL-CLIP's program skips images without proposals; it would give 1.0 and 1.0 here."""
    found = of(row(10, 10), row(0, 30, mask="", reason="no mask was proposed"))

    assert (found.o_iou, found.m_iou.mean) == (0.25, 0.5)
    assert found.missed == {"no mask was proposed": 1}


def test_precision_counts_ious_of_at_least_the_threshold():
    found = of(row(5, 10), row(6, 10), row(89, 100), row(10, 10))

    assert {t: share.mean for t, share in found.precision.items()} == {
        0.5: 1, 0.6: 0.75, 0.7: 0.5, 0.8: 0.5, 0.9: 0.25,
    }  # fmt: skip


def test_an_empty_union_adds_nothing():
    found = of(row(0, 0), row(5, 10))

    assert (found.o_iou, found.m_iou.mean) == (0.5, 0.25)
    assert of(row(0, 0)).o_iou == 0


def test_the_interval_is_over_images():
    rows = [row(10 * (i < 5), 10, sample=i, image="ab"[i >= 5]) for i in range(10)]

    together = of(*rows).m_iou

    assert (together.low, together.high) == (0, 1)


def test_expressions_without_a_referent_count_as_in_grefcoco():
    found = of(
        row(10, 10),
        row(0, 0, has_referent=False, mask="", iou=1.0),
        row(0, 30, has_referent=False),
        row(0, 0, has_referent=False, mask="", reason="there is no such image"),
        row(0, 10, mask="", reason="no mask was proposed"),
    )

    assert found.o_iou == 10 / 50
    assert found.m_iou.mean == 2 / 5
    assert (found.n_acc.mean, found.n_acc.count) == (pytest.approx(1 / 3), 3)
    assert (found.t_acc.mean, found.t_acc.count) == (0.5, 2)
    assert (found.precision[0.5].mean, found.precision[0.5].count) == (0.5, 2)


def test_every_split_has_the_figures_of_all_rankings_methods_first():
    rows = [
        row(10, 10, sample=i, image=str(i // 2), split=split, method=method)
        for i, split in enumerate(["testB", "testB", "val"])
        for method in ("lgd", "fusion")
    ]

    first, second = compute_split_metrics(to_table(rows))

    assert [(s.dataset, s.split_by, s.split, s.count, s.images) for s in (first, second)] == [
        ("refcoco", "unc", "testB", 2, 1), ("refcoco", "unc", "val", 1, 1),
    ]  # fmt: skip
    assert list(first.by_method) == ["lgd", "fusion"]


def test_as_json_there_is_nothing_that_json_has_no_word_for():
    (split,) = compute_split_metrics(to_table([row(5, 10)]))

    plain = split.to_json_object()

    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert plain["rankings"]["lgd"]["precision"]["0.5"] == {"mean": 1, "low": 1, "high": 1, "count": 1}
    assert plain["rankings"]["lgd"]["n_acc"]["mean"] is None
