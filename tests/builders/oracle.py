"""The figures of decisions as they were computed first, one decision at a time: the oracle of the tables.

It holds every decision with its masks, decodes each mask, and resamples the images for every interval.
"""

from dataclasses import dataclass

import numpy as np

from ris.core import rle
from ris.core.decision import Decision
from ris.core.types import Verdict
from ris.core.versions import describe_version
from ris.referring.kinds import find_kind

THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass
class Judged:
    """One decision, with the IoU and the (intersection, union) of its mask with each alternative."""

    decision: Decision
    ious: tuple[float, ...]
    overlaps: tuple[tuple[int, int], ...]
    image_number: int = 0

    @property
    def verdict(self):
        return self.decision.correction.verdict

    @property
    def has_mask(self):
        return self.verdict.has_mask and self.decision.correction.annotation.mask is not None

    @property
    def image(self):
        task, digest = self.decision.correction.annotation.task, self.decision.image_digest
        return ("", digest) if digest else (task.project, task.image_url)

    @property
    def first_iou(self):
        return self.ious[0] if self.ious else 0.0

    @property
    def best_iou(self):
        return max(self.ious, default=0.0)

    @property
    def accepted_rank(self):
        return self.decision.correction.rank if self.verdict is Verdict.ACCEPTED else None

    def find_favourite_iou(self, method):
        ranks = [
            (one.suggestion.methods[method].rank, i)
            for i, one in enumerate(self.decision.alternatives)
            if method in one.suggestion.methods
        ]
        return self.ious[min(ranks)[1]] if ranks and self.ious else 0.0


def judge_all(decisions):
    """Judge decisions; images are numbered, and drawn for an interval, in the order of their appearance."""
    judged = [judge(decision) for decision in decisions]
    numbers = {image: i for i, image in enumerate(dict.fromkeys(one.image for one in judged))}
    for one in judged:
        one.image_number = numbers[one.image]
    return judged


def judge(decision):
    mask = decision.correction.annotation.mask if decision.correction.verdict.has_mask else None
    if mask is None:
        return Judged(decision, (), ())
    final, overlaps = rle.decode_rle(mask), []
    for one in decision.alternatives:
        if one.suggestion.mask.size != final.shape:
            overlaps.append((0, int(final.sum()) + one.suggestion.mask.area_px))
            continue
        other = rle.decode_rle(one.suggestion.mask)
        overlaps.append((int((final & other).sum()), int((final | other).sum())))
    ious = tuple(inside / union if union else 0.0 for inside, union in overlaps)
    return Judged(decision, ious, tuple(overlaps) or ((0, mask.area_px),))


def estimate(judged, value):
    """Return the mean, both ends of its interval, and the number of decisions."""
    if not judged:
        return float("nan"), float("nan"), float("nan"), 0
    _, index = np.unique([one.image_number for one in judged], return_inverse=True)
    values = [float(value(one)) for one in judged]
    sums, counts = np.bincount(index, weights=values), np.bincount(index)
    drawn = np.random.default_rng(0).integers(0, len(sums), (1000, len(sums)))
    low, high = np.quantile(sums[drawn].sum(1) / counts[drawn].sum(1), [0.025, 0.975])
    return sums.sum() / counts.sum(), low, high, len(values)


def compute_shares(judged):
    with_mask = [one for one in judged if one.has_mask]
    edited = [one for one in with_mask if one.decision.correction.edit]
    without = [one for one in judged if one.verdict is Verdict.NO_REFERENT]
    shares = {
        "accepted": estimate(with_mask, lambda one: one.verdict is Verdict.ACCEPTED),
        "accepted first": estimate(with_mask, lambda one: one.accepted_rank == 0),
        "MRR of the accepted": estimate(
            with_mask, lambda one: 0.0 if one.accepted_rank is None else 1 / (one.accepted_rank + 1)
        ),
        "mean IoU, top 1": estimate(with_mask, lambda one: one.first_iou),
        "mean IoU, best shown": estimate(with_mask, lambda one: one.best_iou),
        "IoU of an edit": estimate(edited, lambda one: one.decision.correction.iou or 0.0),
        "boundary IoU of an edit": estimate(edited, lambda one: one.decision.correction.edit.boundary_iou),
        "N-acc": estimate(without, lambda one: not one.decision.alternatives),
        "T-acc": estimate(with_mask, lambda one: bool(one.decision.alternatives)),
    }
    for t in THRESHOLDS:
        shares[f"P@{t}, top 1"] = estimate(with_mask, lambda one, t=t: one.first_iou > t)
        shares[f"P@{t}, best shown"] = estimate(with_mask, lambda one, t=t: one.best_iou > t)
    return shares


def compute_o_iou(judged):
    overlaps = [one.overlaps[0] for one in judged if one.has_mask]
    return sum(inside for inside, _ in overlaps) / max(sum(union for _, union in overlaps), 1)


def compare_methods(judged):
    with_mask = [one for one in judged if one.has_mask]
    methods = {name for one in with_mask for a in one.decision.alternatives for name in a.suggestion.methods}
    return {
        name: (
            estimate(with_mask, lambda one, name=name: one.find_favourite_iou(name)),
            estimate(with_mask, lambda one, name=name: one.find_favourite_iou(name) - one.first_iou),
        )
        for name in sorted(methods)
    }


def measure_position_bias(judged):
    shuffled = [
        one for one in judged if one.has_mask and any(a.place is not None for a in one.decision.alternatives)
    ]
    places = max((len(one.decision.alternatives) for one in shuffled), default=0)

    def find_place(one):
        shown = one.decision.alternatives
        return next((a.shown_place for a in shown if a.suggestion.rank == one.accepted_rank), None)

    return [
        (
            place,
            estimate(shuffled, lambda one, at=place: find_place(one) == at),
            estimate(shuffled, lambda one, at=place: one.accepted_rank == at),
        )
        for place in range(places)
    ]


def compute_calibration(judged, bins=10):
    pairs = [
        (one.decision.alternatives[0].suggestion.score, one.first_iou >= 0.5) for one in judged if one.ious
    ]
    rows = []
    for low in range(bins):
        inside = [(s, right) for s, right in pairs if min(int(s * bins), bins - 1) == low]
        if inside:
            rows.append((np.mean([s for s, _ in inside]), np.mean([r for _, r in inside]), len(inside)))
    return rows


def split(judged, key):
    def get_key(one):
        annotation = one.decision.correction.annotation
        year, week, _ = annotation.updated_at.isocalendar()
        return {
            "project": annotation.task.project,
            "annotator": str(annotation.annotator or "unknown"),
            "version": describe_version(one.decision.version or "") or "nothing offered",
            "kind": find_kind(annotation.task.expression),
            "week": f"{year}-W{week:02d}",
        }[key]

    groups = {}
    for one in judged:
        groups.setdefault(get_key(one), []).append(one)
    return dict(sorted(groups.items()))
