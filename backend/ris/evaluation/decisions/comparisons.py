"""Compare methods, places and scores on the decisions of annotators."""

from collections.abc import Iterable, Sequence

import numpy as np

from ris.core.shares import Share
from ris.evaluation.decisions.metrics import (
    DecisionEvaluation,
    compute_share,
    get_accepted_rank,
    get_first_iou,
)

ENSEMBLE = "offered"


def find_methods(evaluations: Iterable[DecisionEvaluation]) -> list[str]:
    """Return the names of all methods that scored an alternative, sorted."""
    alternatives = [a for e in evaluations for a in e.decision.alternatives]
    return sorted({method for a in alternatives for method in a.suggestion.methods})


def get_favourite_iou(evaluation: DecisionEvaluation, method: str) -> float:
    """Return the IoU of the alternative that a method ranked best; 0 if the method ranked none."""
    ranks = [
        (alternative.suggestion.methods[method].rank, i)
        for i, alternative in enumerate(evaluation.decision.alternatives)
        if method in alternative.suggestion.methods
    ]
    return evaluation.ious[min(ranks)[1]] if ranks and evaluation.ious else 0.0


def compare_methods(evaluations: Sequence[DecisionEvaluation]) -> dict[str, tuple[Share, Share]]:
    """Compare the methods on the decisions that have a mask.

    Annotators saw only the alternatives on the screen, so a method's favourite is the one of these that it
    ranked best.

    Returns:
        By method: the mIoU of its favourite, and the paired difference to the mIoU of the first alternative.
        `ENSEMBLE` stands for the order in which the alternatives were offered.
    """
    with_mask = [e for e in evaluations if e.has_mask]
    table = {
        ENSEMBLE: (
            compute_share(with_mask, lambda e: get_first_iou(e.ious)),
            compute_share(with_mask, lambda e: 0.0),
        )
    }
    for method in find_methods(with_mask):

        def get_own_iou(e: DecisionEvaluation, method: str = method) -> float:
            return get_favourite_iou(e, method)

        def compute_difference(e: DecisionEvaluation, method: str = method) -> float:
            return get_favourite_iou(e, method) - get_first_iou(e.ious)

        table[method] = (
            compute_share(with_mask, get_own_iou),
            compute_share(with_mask, compute_difference),
        )
    return table


def measure_position_bias(evaluations: Sequence[DecisionEvaluation]) -> list[tuple[int, Share, Share]]:
    """Measure position bias on the tasks whose alternatives were shown in random order.

    Annotators who choose by quality accept all places equally often, but not all ranks. Annotators who
    choose by position accept all ranks equally often, but not all places.

    Returns:
        One tuple for each place, from 0: (place, share of tasks accepted at this place, share of tasks
        accepted at this rank).
    """
    shuffled = [e for e in evaluations if e.has_mask and _is_shuffled(e)]
    places = max((len(e.decision.alternatives) for e in shuffled), default=0)

    def find_place(e: DecisionEvaluation) -> int | None:
        rank = get_accepted_rank(e)
        return next((a.shown_place for a in e.decision.alternatives if a.suggestion.rank == rank), None)

    return [
        (
            place,
            compute_share(shuffled, lambda e, at=place: float(find_place(e) == at)),  # type: ignore[misc]
            compute_share(shuffled, lambda e, at=place: float(get_accepted_rank(e) == at)),  # type: ignore[misc]
        )
        for place in range(places)
    ]


def _is_shuffled(evaluation: DecisionEvaluation) -> bool:
    return any(a.place is not None for a in evaluation.decision.alternatives)


def compute_calibration(
    evaluations: Sequence[DecisionEvaluation], *, bins: int = 10
) -> list[tuple[float, float, int]]:
    """Compute the calibration of the first alternative's score.

    Args:
        evaluations: the decisions; those without alternatives, or without a score in [0, 1], are skipped.
        bins: number of equal bins of the score in [0, 1]; empty bins are not returned.

    Returns:
        For each bin: (mean score, share with IoU >= 0.5, number of decisions).
    """
    pairs = [
        (e.decision.alternatives[0].suggestion.score, get_first_iou(e.ious) >= 0.5)
        for e in evaluations
        if e.ious and 0 <= e.decision.alternatives[0].suggestion.score <= 1
    ]
    rows = []
    for low in np.arange(bins) / bins:
        inside = [(s, right) for s, right in pairs if min(int(s * bins), bins - 1) == round(low * bins)]
        if inside:
            rows.append(
                (float(np.mean([s for s, _ in inside])), float(np.mean([r for _, r in inside])), len(inside))
            )
    return rows
