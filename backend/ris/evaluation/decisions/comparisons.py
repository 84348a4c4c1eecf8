"""Compare methods, places and scores on the decisions of annotators."""

import numpy as np

from ris.core.shares import Share
from ris.evaluation.decisions.table import DecisionTable

ENSEMBLE = "offered"


def compare_methods(table: DecisionTable) -> dict[str, tuple[Share, Share]]:
    """Compare the methods on the decisions that have a mask.

    Annotators saw only the alternatives on the screen, so a method's favourite is the one of these that it
    ranked best; its IoU is 0 where the method ranked none.

    Returns:
        By method: the mean IoU of its favourite, and the paired difference to that of the first alternative.
        `ENSEMBLE` stands for the order in which the alternatives were offered.
    """
    with_mask = table.select_with_mask()
    first = with_mask.compute_ious("first")
    compared = {ENSEMBLE: (with_mask.estimate_mean(first), with_mask.estimate_mean(np.zeros(len(with_mask))))}
    for method, favourites in with_mask.favourite_ious.items():
        if np.isnan(favourites).all():
            continue
        own = np.nan_to_num(favourites.astype(np.float64))
        compared[method] = with_mask.estimate_mean(own), with_mask.estimate_mean(own - first)
    return compared


def measure_position_bias(table: DecisionTable) -> list[tuple[int, Share, Share]]:
    """Measure position bias on the tasks whose alternatives were shown in random order.

    Annotators who choose by quality accept all places equally often, but not all ranks. Annotators who
    choose by position accept all ranks equally often, but not all places.

    Returns:
        One tuple for each place, from 0: (place, share of tasks accepted at this place, share of tasks
        accepted at this rank).
    """
    shuffled = table.select(table.rows["has_mask"] & table.rows["is_shuffled"])
    places, ranks = shuffled.rows["accepted_place"], shuffled.get_accepted_ranks()
    return [
        (place, shuffled.estimate_mean(places == place), shuffled.estimate_mean(ranks == place))
        for place in range(max(shuffled.rows["n_shown"].tolist(), default=0))
    ]


def compute_calibration(table: DecisionTable, *, bins: int = 10) -> list[tuple[float, float, int]]:
    """Compute the calibration of the first alternative's score.

    Args:
        table: the decisions; those without alternatives, without a score in [0, 1] or without a mask are
            left out.
        bins: number of equal bins of the score in [0, 1]; empty bins are not returned.

    Returns:
        For each bin: (mean score, share with IoU >= 0.5, number of decisions).
    """
    has_score = ~np.isnan(table.rows["score"])
    shown = table.select(table.rows["has_mask"] & (table.rows["n_shown"] > 0) & has_score)
    scores = shown.rows["score"].astype(np.float64)
    is_right = shown.compute_ious("first") >= 0.5
    bin_of = np.clip((scores * bins).astype(np.int64), 0, bins - 1)
    n_in_bin = np.bincount(bin_of, minlength=bins)
    score_sums = np.bincount(bin_of, weights=scores, minlength=bins)
    n_right = np.bincount(bin_of, weights=is_right, minlength=bins)
    return [
        (float(score_sums[i] / n_in_bin[i]), float(n_right[i] / n_in_bin[i]), int(n_in_bin[i]))
        for i in np.flatnonzero(n_in_bin)
    ]
