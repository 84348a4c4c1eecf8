"""The figures of a benchmark as rows: for a table, and as JSON for machines."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ris.core.shares import Share, share
from ris.evaluation.rankings import FUSION
from ris.evaluation.tinyworld.samples import MISSED, Proposed, Sample

ROWS = {
    "category": ("category",),
    "attribute": ("attribute", "size"),
    "position": ("position",),
    "relation": ("relation",),
    "negation + ordinal": ("negation", "ordinal"),
}
MEAN_OF = ("category", "attribute", "position", "relation")
MAX_PROPOSALS = 12

Figures = dict[str, dict[str, Share]]


def by_kind(samples: Sequence[Sample], value: Callable[[Sample], Mapping[str, float]]) -> Figures:
    """Row -> column -> share; `value` gives a sample's number for every column."""
    groups = {row: [s for s in samples if s.kind in kinds] for row, kinds in ROWS.items()}
    return {row: _columns(group, value) for row, group in (groups | {"all": list(samples)}).items()}


def _columns(samples: Sequence[Sample], value: Callable[[Sample], Mapping[str, float]]) -> dict[str, Share]:
    values = [value(sample) for sample in samples]
    scenes = [sample.scene for sample in samples]
    names = dict.fromkeys(name for each in values for name in each)
    return {name: share([float(each[name]) for each in values], scenes) for name in names}


def floors(sample: Sample) -> dict[str, float]:
    """The chance of a guess among all things, and among those of the right noun."""
    return {"1/things": sample.by_thing, "1/same noun": sample.by_noun}


def true_masks(k: int) -> Callable[[Sample], dict[str, float]]:
    """By ranking, whether the referent is among the first k of the true masks."""
    return lambda sample: {who: place < k for who, place in _ordered(sample.known).items()}


def end_to_end(k: int) -> Callable[[Sample], dict[str, float]]:
    """By ranking, whether one of the first k proposals has IoU > 0.5; the oracle is the best proposal."""

    def value(sample: Sample) -> dict[str, float]:
        found = {who: float(place < k) for who, place in _ordered(sample.found or {}).items()}
        return found | {"oracle": float(bool(sample.ceiling))}

    return value


def networks(sample: Sample) -> dict[str, float]:
    """What the matcher and the describer get right by themselves."""
    return {"heat peaks in the referent": sample.peak, "its looks told exactly": sample.described}


def _ordered(places: Mapping[str, int]) -> dict[str, int]:
    """The methods, then the fusion."""
    return {who: places[who] for who in (*(w for w in places if w != FUSION), FUSION) if who in places}


def gain(samples: Sequence[Sample], better: str, base: str, rows: Sequence[str]) -> Share:
    """How much more often one ranking is right than another on the same expressions, with the interval."""
    kinds = {kind for row in rows for kind in ROWS[row]}
    chosen = [s for s in samples if s.kind in kinds]
    values = [float(s.known.get(better, MISSED) < 1) - float(s.known.get(base, MISSED) < 1) for s in chosen]
    return share(values, [s.scene for s in chosen])


def of_proposals(proposed: Sequence[Proposed]) -> dict[str, Share]:
    """Recall of the proposals, and how many there are."""
    scenes = [p.scene for p in proposed]
    groups = [p.scene for p in proposed for _ in p.best_ious]
    ious = [iou for p in proposed for iou in p.best_ious]
    return {
        "recall at IoU 0.5": share([float(iou > 0.5) for iou in ious], groups),
        "recall at IoU 0.75": share([float(iou > 0.75) for iou in ious], groups),
        "proposals an image": share([float(p.n_proposals) for p in proposed], scenes),
        f"images with more than {MAX_PROPOSALS}": share(
            [float(p.n_proposals > MAX_PROPOSALS) for p in proposed], scenes
        ),
    }


def end_to_end_mean(figures: Figures) -> float:
    """The fusion's mean over category, attribute, position and relation: each kind counts alike."""
    return sum(figures[row][FUSION].mean for row in MEAN_OF) / len(MEAN_OF)


def as_json(figures: Mapping[str, Mapping[str, Share]]) -> dict[str, Any]:
    """The same as plain numbers."""
    return {row: {name: asdict(value) for name, value in columns.items()} for row, columns in figures.items()}
