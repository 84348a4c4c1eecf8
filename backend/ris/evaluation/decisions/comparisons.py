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


def find_methods(found: Iterable[DecisionEvaluation]) -> list[str]:
    """Every method that had a say in any alternative."""
    return sorted({m for j in found for offer in j.decision.alternatives for m in offer.suggestion.methods})


def get_favourite_iou(j: DecisionEvaluation, method: str) -> float:
    """IoU of the alternative that one method liked best of those on offer; 0 when it had no say."""
    said = [
        (offer.suggestion.methods[method].rank, i)
        for i, offer in enumerate(j.decision.alternatives)
        if method in offer.suggestion.methods
    ]
    return j.ious[min(said)[1]] if said and j.ious else 0.0


def compare_methods(found: Sequence[DecisionEvaluation]) -> dict[str, tuple[Share, Share]]:
    """By method, mIoU of its favourite, and how much that is above what was offered first, paired.

    Both on the same decisions with a mask. Only what was on the screen is known to be right or wrong, so a
    method's favourite is its favourite among the alternatives.
    """
    with_mask = [j for j in found if j.has_mask]
    table = {
        ENSEMBLE: (
            compute_share(with_mask, lambda j: get_first_iou(j.ious)),
            compute_share(with_mask, lambda j: 0.0),
        )
    }
    for method in find_methods(with_mask):

        def get_own_iou(j: DecisionEvaluation, method: str = method) -> float:
            return get_favourite_iou(j, method)

        def compute_difference(j: DecisionEvaluation, method: str = method) -> float:
            return get_favourite_iou(j, method) - get_first_iou(j.ious)

        table[method] = (
            compute_share(with_mask, get_own_iou),
            compute_share(with_mask, compute_difference),
        )
    return table


def measure_position_bias(found: Sequence[DecisionEvaluation]) -> list[tuple[int, Share, Share]]:
    """(place, share accepted there, share accepted of that rank), of the tasks shown in random order.

    Where people take what is best, all places are accepted alike and the ranks are not; where they take
    what comes first, it is the other way round.
    """
    shuffled = [j for j in found if j.has_mask and any(o.place is not None for o in j.decision.alternatives)]
    places = max((len(j.decision.alternatives) for j in shuffled), default=0)

    def find_place(j: DecisionEvaluation) -> int | None:
        taken = get_accepted_rank(j)
        return next((o.shown_place for o in j.decision.alternatives if o.suggestion.rank == taken), None)

    return [
        (
            place,
            compute_share(shuffled, lambda j, at=place: float(find_place(j) == at)),  # type: ignore[misc]
            compute_share(shuffled, lambda j, at=place: float(get_accepted_rank(j) == at)),  # type: ignore[misc]
        )
        for place in range(places)
    ]


def compute_calibration(
    found: Sequence[DecisionEvaluation], *, bins: int = 10
) -> list[tuple[float, float, int]]:
    """(mean score, share with IoU >= 0.5, how many) of the first alternative, by bins of its score."""
    pairs = [
        (j.decision.alternatives[0].suggestion.score, get_first_iou(j.ious) >= 0.5) for j in found if j.ious
    ]
    rows = []
    for low in np.arange(bins) / bins:
        inside = [(s, right) for s, right in pairs if min(int(s * bins), bins - 1) == round(low * bins)]
        if inside:
            rows.append(
                (float(np.mean([s for s, _ in inside])), float(np.mean([r for _, r in inside])), len(inside))
            )
    return rows
