"""Numbers from the decisions of annotators: how good was what we offered?

A task without a suggestion is a miss and never skipped. Skipped tasks say nothing about the masks and are
counted apart; expressions without a referent have their own two figures, as in gRefCOCO.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ris.core import rle
from ris.core.decision import Decision
from ris.core.rle import RLE
from ris.core.shares import Share, estimate_share
from ris.core.types import Verdict
from ris.referring.kinds import find_kind

_THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True, slots=True)
class DecisionEvaluation:
    """One decision against the alternatives that were on the screen.

    Attributes:
        decision: as it is on record.
        ious: of the final mask with every alternative, best alternative first; empty without a final mask.
        overlaps: (intersection, union) in pixels with every alternative; the union counts the final mask
            alone where nothing was offered.
    """

    decision: Decision
    ious: tuple[float, ...]
    overlaps: tuple[tuple[int, int], ...]

    @property
    def verdict(self) -> Verdict:
        return self.decision.correction.verdict

    @property
    def has_mask(self) -> bool:
        """Whether the annotator said which mask is right."""
        return self.verdict.has_mask and self.decision.correction.annotation.mask is not None

    @property
    def edit_px(self) -> int | None:
        """Pixels that an edit added or removed; None when nothing was edited."""
        edit = self.decision.correction.edit
        return edit.added_px + edit.removed_px if edit else None

    @property
    def image(self) -> tuple[str, str]:
        """Samples of one image are not independent; it is one by its bytes, where these are known."""
        task = self.decision.correction.annotation.task
        digest = self.decision.image_digest
        return ("", digest) if digest else (task.project, task.image_url)


def evaluate_decision(decision: Decision) -> DecisionEvaluation:
    """Compare the final mask with every alternative."""
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
    """What a set of decisions says.

    Attributes:
        counts: decisions by verdict.
        shares: by name, each with its interval and count.
        o_iou: sum of intersections over sum of unions of the first alternative.
        lead_time_s: median seconds in the editor; None when nobody's was told.
        changed_px: median pixels that an edit changed; None when nothing was edited.
    """

    counts: Mapping[str, int]
    shares: Mapping[str, Share]
    o_iou: float
    lead_time_s: float | None
    edit_px: float | None


def compute_decision_metrics(found: Sequence[DecisionEvaluation]) -> DecisionMetrics:
    """Every figure of a set of decisions."""
    with_mask = [j for j in found if j.has_mask]
    overlaps = [j.overlaps[0] for j in with_mask]
    times = [t for j in found if (t := j.decision.correction.annotation.lead_time_s) is not None]
    edits = [j.edit_px for j in found if j.edit_px is not None]
    shares = {
        "accepted": compute_share(with_mask, lambda j: j.verdict is Verdict.ACCEPTED),
        "accepted first": compute_share(with_mask, lambda j: get_accepted_rank(j) == 0),
        "MRR of the accepted": compute_share(with_mask, _compute_reciprocal_rank),
        "mIoU of the first": compute_share(with_mask, lambda j: get_first_iou(j.ious)),
        "mIoU of the best": compute_share(with_mask, lambda j: max(j.ious, default=0.0)),
    }
    for threshold in _THRESHOLDS:
        shares[f"P@{threshold} of the first"] = compute_share(
            with_mask, _make_precision(threshold, get_first_iou)
        )
    for threshold in _THRESHOLDS:
        shares[f"P@{threshold} of the best"] = compute_share(
            with_mask, _make_precision(threshold, _get_best_iou)
        )
    edited = [j for j in with_mask if j.decision.correction.edit]
    shares["IoU of an edit"] = compute_share(edited, lambda j: j.decision.correction.iou or 0.0)
    shares["boundary IoU of an edit"] = compute_share(edited, _get_boundary_iou)
    without = [j for j in found if j.verdict is Verdict.NO_REFERENT]
    shares["N-acc"] = compute_share(without, lambda j: not j.decision.alternatives)
    shares["T-acc"] = compute_share(with_mask, lambda j: bool(j.decision.alternatives))
    return DecisionMetrics(
        counts={v.value: sum(j.verdict is v for j in found) for v in Verdict},
        shares=shares,
        o_iou=sum(i for i, _ in overlaps) / max(sum(u for _, u in overlaps), 1),
        lead_time_s=float(np.median(times)) if times else None,
        edit_px=float(np.median(edits)) if edits else None,
    )


def compute_share(found: Sequence[DecisionEvaluation], value: Callable[[DecisionEvaluation], float]) -> Share:
    images = {image: i for i, image in enumerate(dict.fromkeys(j.image for j in found))}
    return estimate_share([float(value(j)) for j in found], [images[j.image] for j in found])


def get_first_iou(ious: Sequence[float]) -> float:
    """Of the first alternative; nothing offered is a miss."""
    return ious[0] if ious else 0.0


def _get_best_iou(ious: Sequence[float]) -> float:
    return max(ious, default=0.0)


def _make_precision(
    threshold: float, of: Callable[[Sequence[float]], float]
) -> Callable[[DecisionEvaluation], float]:
    return lambda j: float(of(j.ious) > threshold)


def _get_boundary_iou(found: DecisionEvaluation) -> float:
    edit = found.decision.correction.edit
    return edit.boundary_iou if edit else 0.0


def get_accepted_rank(found: DecisionEvaluation) -> int | None:
    return found.decision.correction.rank if found.verdict is Verdict.ACCEPTED else None


def _compute_reciprocal_rank(found: DecisionEvaluation) -> float:
    taken = get_accepted_rank(found)
    return 0.0 if taken is None else 1 / (taken + 1)


def group_decisions(found: Iterable[DecisionEvaluation], by: str) -> dict[str, list[DecisionEvaluation]]:
    """The decisions by "project", "annotator", "version", "kind" of expression, or "week"."""
    groups: dict[str, list[DecisionEvaluation]] = {}
    for j in found:
        groups.setdefault(GROUP_KEYS[by](j), []).append(j)
    return dict(sorted(groups.items()))


def _get_week(found: DecisionEvaluation) -> str:
    year, week, _ = found.decision.correction.annotation.updated_at.isocalendar()
    return f"{year}-W{week:02d}"


GROUP_KEYS: Mapping[str, Callable[[DecisionEvaluation], str]] = {
    "project": lambda j: j.decision.correction.annotation.task.project,
    "annotator": lambda j: str(j.decision.correction.annotation.annotator or "unknown"),
    "version": lambda j: j.decision.version or "nothing offered",
    "kind": lambda j: find_kind(j.decision.correction.annotation.task.expression),
    "week": _get_week,
}
