"""Metrics of the alternatives, computed from the decisions of annotators.

A task without alternatives is a miss. Skipped tasks are counted, but are in no metric. Expressions without a
referent have two metrics of their own, N-acc and T-acc, as in gRefCOCO.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ris.core import rle
from ris.core.decision import Decision
from ris.core.rle import RLE
from ris.core.shares import Share, estimate_share
from ris.core.types import Verdict
from ris.core.versions import describe_version
from ris.referring.kinds import find_kind

_THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True, slots=True)
class DecisionEvaluation:
    """One decision, compared with the alternatives that were on the screen.

    Attributes:
        decision: the recorded decision.
        ious: IoU of the final mask with each alternative, in [0, 1], in the order of their ranks; empty if
            there is no final mask.
        overlaps: (intersection, union) in pixels of the final mask with each alternative. Without
            alternatives: one entry, (0, area of the final mask).
    """

    decision: Decision
    ious: tuple[float, ...]
    overlaps: tuple[tuple[int, int], ...]

    @property
    def verdict(self) -> Verdict:
        """The verdict of the decision."""
        return self.decision.correction.verdict

    @property
    def has_mask(self) -> bool:
        """Whether the decision has a final mask."""
        return self.verdict.has_mask and self.decision.correction.annotation.mask is not None

    @property
    def edit_px(self) -> int | None:
        """Number of pixels that the edit added or removed; None without an edit."""
        edit = self.decision.correction.edit
        return edit.added_px + edit.removed_px if edit else None

    @property
    def image(self) -> tuple[str, str]:
        """Key of the image: its digest, or project and URL if the digest is unknown.

        Decisions about one image are not independent, so intervals are over images.
        """
        task = self.decision.correction.annotation.task
        digest = self.decision.image_digest
        return ("", digest) if digest else (task.project, task.image_url)


def evaluate_decision(decision: Decision) -> DecisionEvaluation:
    """Compare the final mask of a decision with each alternative."""
    mask = decision.correction.annotation.mask if decision.correction.verdict.has_mask else None
    if mask is None:
        return DecisionEvaluation(decision, (), ())
    final = rle.decode_rle(mask)
    overlaps = [_compute_overlap(final, offer.suggestion.mask) for offer in decision.alternatives]
    ious = tuple(inside / union if union else 0.0 for inside, union in overlaps)
    return DecisionEvaluation(decision, ious, tuple(overlaps) or ((0, mask.area_px),))


def _compute_overlap(final: np.ndarray, offered: RLE) -> tuple[int, int]:
    if offered.size != final.shape:
        return 0, int(final.sum()) + offered.area_px
    other = rle.decode_rle(offered)
    return int((final & other).sum()), int((final | other).sum())


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


def compute_decision_metrics(evaluations: Sequence[DecisionEvaluation]) -> DecisionMetrics:
    """Compute all metrics of a set of decisions."""
    with_mask = [e for e in evaluations if e.has_mask]
    overlaps = [e.overlaps[0] for e in with_mask]
    times = [t for e in evaluations if (t := e.decision.correction.annotation.lead_time_s) is not None]
    edits = [e.edit_px for e in evaluations if e.edit_px is not None]
    shares = {
        "accepted": compute_share(with_mask, lambda e: e.verdict is Verdict.ACCEPTED),
        "accepted first": compute_share(with_mask, lambda e: get_accepted_rank(e) == 0),
        "MRR of the accepted": compute_share(with_mask, _compute_reciprocal_rank),
        "mIoU of the first": compute_share(with_mask, lambda e: get_first_iou(e.ious)),
        "mIoU of the best": compute_share(with_mask, lambda e: max(e.ious, default=0.0)),
    }
    for threshold in _THRESHOLDS:
        shares[f"P@{threshold} of the first"] = compute_share(
            with_mask, _make_precision(threshold, get_first_iou)
        )
    for threshold in _THRESHOLDS:
        shares[f"P@{threshold} of the best"] = compute_share(
            with_mask, _make_precision(threshold, _get_best_iou)
        )
    edited = [e for e in with_mask if e.decision.correction.edit]
    shares["IoU of an edit"] = compute_share(edited, lambda e: e.decision.correction.iou or 0.0)
    shares["boundary IoU of an edit"] = compute_share(edited, _get_boundary_iou)
    without = [e for e in evaluations if e.verdict is Verdict.NO_REFERENT]
    shares["N-acc"] = compute_share(without, lambda e: not e.decision.alternatives)
    shares["T-acc"] = compute_share(with_mask, lambda e: bool(e.decision.alternatives))
    return DecisionMetrics(
        counts={v.value: sum(e.verdict is v for e in evaluations) for v in Verdict},
        shares=shares,
        o_iou=sum(i for i, _ in overlaps) / max(sum(u for _, u in overlaps), 1),
        lead_time_s=float(np.median(times)) if times else None,
        edit_px=float(np.median(edits)) if edits else None,
    )


def compute_share(
    evaluations: Sequence[DecisionEvaluation], value: Callable[[DecisionEvaluation], float]
) -> Share:
    """Estimate the mean of a value over decisions, with an interval that resamples whole images."""
    images = {image: i for i, image in enumerate(dict.fromkeys(e.image for e in evaluations))}
    return estimate_share([float(value(e)) for e in evaluations], [images[e.image] for e in evaluations])


def get_first_iou(ious: Sequence[float]) -> float:
    """Return the IoU of the first alternative; 0 if there is none."""
    return ious[0] if ious else 0.0


def _get_best_iou(ious: Sequence[float]) -> float:
    return max(ious, default=0.0)


def _make_precision(
    threshold: float, of: Callable[[Sequence[float]], float]
) -> Callable[[DecisionEvaluation], float]:
    return lambda e: float(of(e.ious) > threshold)


def _get_boundary_iou(evaluation: DecisionEvaluation) -> float:
    edit = evaluation.decision.correction.edit
    return edit.boundary_iou if edit else 0.0


def get_accepted_rank(evaluation: DecisionEvaluation) -> int | None:
    """Return the rank of the accepted alternative, from 0; None for every other verdict."""
    return evaluation.decision.correction.rank if evaluation.verdict is Verdict.ACCEPTED else None


def _compute_reciprocal_rank(evaluation: DecisionEvaluation) -> float:
    rank = get_accepted_rank(evaluation)
    return 0.0 if rank is None else 1 / (rank + 1)


def group_decisions(
    evaluations: Iterable[DecisionEvaluation], by: str
) -> dict[str, list[DecisionEvaluation]]:
    """Group decisions.

    Args:
        evaluations: the decisions.
        by: a key of `GROUP_KEYS`: "project", "annotator", "version" of the model, "kind" of expression or
            "week" (ISO 8601, UTC).
    """
    groups: dict[str, list[DecisionEvaluation]] = {}
    for e in evaluations:
        groups.setdefault(GROUP_KEYS[by](e), []).append(e)
    return dict(sorted(groups.items()))


def _get_week(evaluation: DecisionEvaluation) -> str:
    year, week, _ = evaluation.decision.correction.annotation.updated_at.isocalendar()
    return f"{year}-W{week:02d}"


GROUP_KEYS: Mapping[str, Callable[[DecisionEvaluation], str]] = {
    "project": lambda e: e.decision.correction.annotation.task.project,
    "annotator": lambda e: str(e.decision.correction.annotation.annotator or "unknown"),
    "version": lambda e: describe_version(e.decision.version or "") or "nothing offered",
    "kind": lambda e: find_kind(e.decision.correction.annotation.task.expression),
    "week": _get_week,
}
