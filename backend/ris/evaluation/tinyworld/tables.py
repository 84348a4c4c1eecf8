"""Tables of the results of `ris benchmark tinyworld`, for the terminal and for JSON."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ris.core.shares import Share, estimate_share
from ris.evaluation.rankings import FUSION
from ris.evaluation.tinyworld.samples import MISSED_PLACE, ProposalOutcome, TinyworldOutcome

KINDS_BY_ROW = {
    "category": ("category",),
    "attribute": ("attribute", "size"),
    "position": ("position",),
    "relation": ("relation",),
    "negation + ordinal": ("negation", "ordinal"),
}
MEAN_ROWS = ("category", "attribute", "position", "relation")
MAX_PROPOSALS = 12

ShareTable = dict[str, dict[str, Share]]


def tabulate_by_kind(
    samples: Sequence[TinyworldOutcome], value: Callable[[TinyworldOutcome], Mapping[str, float]]
) -> ShareTable:
    """Compute a table with one row for each kind of expression, and a row "all".

    Args:
        samples: the outcomes.
        value: returns the number of an outcome for each column.

    Returns:
        By row and column, the mean with its interval over scenes.
    """
    groups = {row: [s for s in samples if s.kind in kinds] for row, kinds in KINDS_BY_ROW.items()}
    return {row: _compute_columns(group, value) for row, group in (groups | {"all": list(samples)}).items()}


def _compute_columns(
    samples: Sequence[TinyworldOutcome], value: Callable[[TinyworldOutcome], Mapping[str, float]]
) -> dict[str, Share]:
    values = [value(sample) for sample in samples]
    scenes = [sample.scene for sample in samples]
    names = dict.fromkeys(name for each in values for name in each)
    return {name: estimate_share([float(each[name]) for each in values], scenes) for name in names}


def get_chance_levels(sample: TinyworldOutcome) -> dict[str, float]:
    """Return the probabilities of a correct guess: among all things, and among those of the same noun."""
    return {"1/things": sample.chance_by_thing, "1/same noun": sample.chance_by_noun}


def make_true_mask_metric(k: int) -> Callable[[TinyworldOutcome], dict[str, float]]:
    """Make a metric: by ranking, whether the referent is among its first k true masks."""
    return lambda sample: {
        who: place < k for who, place in _order_rankings(sample.places_with_true_masks).items()
    }


def make_end_to_end_metric(k: int) -> Callable[[TinyworldOutcome], dict[str, float]]:
    """Make a metric: by ranking, whether one of its first k proposals has IoU > 0.5.

    The column "oracle" says whether any proposal has.
    """

    def compute_value(sample: TinyworldOutcome) -> dict[str, float]:
        found = {
            who: float(place < k)
            for who, place in _order_rankings(sample.places_with_proposals or {}).items()
        }
        return found | {"oracle": float(bool(sample.has_right_proposal))}

    return compute_value


def get_network_results(sample: TinyworldOutcome) -> dict[str, float]:
    """Return whether the matcher and the describer are right, each by itself."""
    return {
        "heat peaks in the referent": sample.has_peak_inside,
        "its looks told exactly": sample.is_description_right,
    }


def _order_rankings(places: Mapping[str, int]) -> dict[str, int]:
    """Put the fusion after the methods."""
    return {who: places[who] for who in (*(w for w in places if w != FUSION), FUSION) if who in places}


def compute_gain(samples: Sequence[TinyworldOutcome], better: str, base: str, rows: Sequence[str]) -> Share:
    """Compute the paired difference in accuracy of two rankings, with the true masks.

    Args:
        samples: the outcomes.
        better: name of the ranking that is expected to be better.
        base: name of the other ranking.
        rows: rows of `KINDS_BY_ROW` that count.
    """
    kinds = {kind for row in rows for kind in KINDS_BY_ROW[row]}
    chosen = [s for s in samples if s.kind in kinds]
    values = [
        float(s.places_with_true_masks.get(better, MISSED_PLACE) < 1)
        - float(s.places_with_true_masks.get(base, MISSED_PLACE) < 1)
        for s in chosen
    ]
    return estimate_share(values, [s.scene for s in chosen])


def compute_proposal_metrics(proposed: Sequence[ProposalOutcome]) -> dict[str, Share]:
    """Compute the recall and the number of the proposals."""
    scenes = [p.scene for p in proposed]
    groups = [p.scene for p in proposed for _ in p.best_ious]
    ious = [iou for p in proposed for iou in p.best_ious]
    return {
        "recall at IoU 0.5": estimate_share([float(iou > 0.5) for iou in ious], groups),
        "recall at IoU 0.75": estimate_share([float(iou > 0.75) for iou in ious], groups),
        "proposals an image": estimate_share([float(p.n_proposals) for p in proposed], scenes),
        f"images with more than {MAX_PROPOSALS}": estimate_share(
            [float(p.n_proposals > MAX_PROPOSALS) for p in proposed], scenes
        ),
    }


def compute_end_to_end_mean(figures: ShareTable) -> float | None:
    """Compute the fusion's mean over `MEAN_ROWS`, with equal weights; None if a row has no expressions."""
    if not all(figures[row] for row in MEAN_ROWS):
        return None
    return sum(figures[row][FUSION].mean for row in MEAN_ROWS) / len(MEAN_ROWS)


def to_json_table(figures: Mapping[str, Mapping[str, Share]]) -> dict[str, Any]:
    """Convert a table to an object for JSON."""
    return {row: {name: asdict(value) for name, value in columns.items()} for row, columns in figures.items()}
