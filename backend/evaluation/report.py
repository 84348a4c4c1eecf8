"""The figures of a benchmark as rows: for a table, and as JSON for machines."""

from collections.abc import Callable, Sequence
from dataclasses import asdict

from backend.evaluation.metrics import Share, share
from backend.evaluation.tinyworld import Proposed, Sample

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


def by_kind(samples: Sequence[Sample]) -> Figures:
    """Row -> column -> share, for all samples and for those whose referent was held out."""
    figures = {row: _columns([s for s in samples if s.kind in kinds]) for row, kinds in ROWS.items()}
    return figures | {"all": _columns(samples)}


def _columns(samples: Sequence[Sample]) -> dict[str, Share]:
    columns = {
        "1/things": _share(samples, lambda s: s.by_thing),
        "1/same noun": _share(samples, lambda s: s.by_noun),
        "true masks": _share(samples, lambda s: s.known),
    }
    proposed = [s for s in samples if s.first is not None]
    if proposed:
        columns["end to end"] = _share(proposed, lambda s: bool(s.first))
        columns["in the best 3"] = _share(proposed, lambda s: bool(s.any_of_k))
        columns["ceiling"] = _share(proposed, lambda s: bool(s.ceiling))
    return columns


def _share(samples: Sequence[Sample], value: Callable[[Sample], float]) -> Share:
    return share([float(value(s)) for s in samples], [s.scene for s in samples])


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
    """The mean over category, attribute, position and relation: each kind counts alike."""
    return sum(figures[row]["end to end"].mean for row in MEAN_OF) / len(MEAN_OF)


def as_json(figures: Figures) -> dict[str, dict[str, dict[str, float]]]:
    """The same as plain numbers."""
    return {row: {name: asdict(value) for name, value in columns.items()} for row, columns in figures.items()}
