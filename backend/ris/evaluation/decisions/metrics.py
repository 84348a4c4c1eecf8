"""Metrics of the alternatives, computed from the decisions of annotators.

A task without alternatives is a miss. Skipped tasks are counted, but are in no metric. Expressions without a
referent have two metrics of their own, N-acc and T-acc, as in gRefCOCO.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ris.core.shares import Share
from ris.core.types import Verdict
from ris.evaluation.decisions.table import DecisionTable

_THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True, slots=True)
class DecisionMetrics:
    """Metrics of a set of decisions.

    Attributes:
        counts: number of decisions by verdict.
        shares: the metrics by name, each a mean with its interval and count.
        o_iou: oIoU of the first alternative: sum of intersections over sum of unions, in [0, 1].
        lead_time_s: median time in the editor in seconds; None if it is known for no decision.
        edit_px: median number of pixels that an edit changed; None without edits.
    """

    counts: Mapping[str, int]
    shares: Mapping[str, Share]
    o_iou: float
    lead_time_s: float | None
    edit_px: float | None


def compute_decision_metrics(table: DecisionTable) -> DecisionMetrics:
    """Compute all metrics of a set of decisions."""
    with_mask = table.select_with_mask()
    first, best = with_mask.compute_ious("first"), with_mask.compute_ious("best")
    shares = _compute_main_shares(with_mask)
    for name, ious in (("top 1", first), ("best shown", best)):
        for threshold in _THRESHOLDS:
            shares[f"P@{threshold}, {name}"] = with_mask.estimate_mean(ious > threshold)
    edited = with_mask.select(with_mask.rows["edit_px"] >= 0)
    shares["IoU of an edit"] = edited.estimate_mean(edited.rows["edit_iou"])
    shares["boundary IoU of an edit"] = edited.estimate_mean(edited.rows["edit_boundary_iou"])
    without = table.select(table.is_verdict(Verdict.NO_REFERENT))
    shares["N-acc"] = without.estimate_mean(without.rows["n_shown"] == 0)
    shares["T-acc"] = with_mask.estimate_mean(with_mask.rows["n_shown"] > 0)
    times = table.rows["lead_time_s"]
    times = times[~np.isnan(times)]
    edits = table.rows["edit_px"][table.rows["edit_px"] >= 0]
    overlaps = with_mask.rows["first"].sum(0, dtype=np.int64)
    return DecisionMetrics(
        counts=table.count_verdicts(),
        shares=shares,
        o_iou=float(overlaps[0] / max(overlaps[1], 1)),
        lead_time_s=float(np.median(times)) if len(times) else None,
        edit_px=float(np.median(edits)) if len(edits) else None,
    )


def compute_main_shares(table: DecisionTable) -> dict[str, Share]:
    """Compute the metrics of a row of the tables: of acceptance, and the mIoU of the alternatives."""
    return _compute_main_shares(table.select_with_mask())


def _compute_main_shares(with_mask: DecisionTable) -> dict[str, Share]:
    ranks = with_mask.get_accepted_ranks()
    return {
        "accepted": with_mask.estimate_mean(with_mask.is_verdict(Verdict.ACCEPTED)),
        "accepted first": with_mask.estimate_mean(ranks == 0),
        "MRR of the accepted": with_mask.estimate_mean(np.where(ranks < 0, 0.0, 1 / (np.abs(ranks) + 1))),
        "mean IoU, top 1": with_mask.estimate_mean(with_mask.compute_ious("first")),
        "mean IoU, best shown": with_mask.estimate_mean(with_mask.compute_ious("best")),
    }
