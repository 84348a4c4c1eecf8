"""Score people on gold tasks, whose right answer is known."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, stdtrit  # scipy.stats takes 60 MB

from ris.core.masks import compute_boundary_iou, compute_iou
from ris.core.referents import SAME_REFERENT_IOU
from ris.core.rle import decode_rle
from ris.core.shares import Share, estimate_share
from ris.store.gold import GoldAnswer

GOLD_FIGURES = ("right referent", "IoU", "boundary IoU")
_ALPHA = 0.05
_NO_SHARE = Share(float("nan"), float("nan"), float("nan"), 0)


@dataclass(frozen=True, slots=True)
class GoldReport:
    """How people answered the gold tasks. A figure without a value has the count 0.

    Attributes:
        people: by person, the figures of `GOLD_FIGURES`.
        others: by person, the same figures of all others together.
        team: the same figures of all people.
        n_unlike: answers that were not compared, because their mask is of another size than the known one.
    """

    people: Mapping[int, Mapping[str, Share]]
    others: Mapping[int, Mapping[str, Share]]
    team: Mapping[str, Share]
    n_unlike: int = 0

    def find_below(self) -> list[tuple[int, str]]:
        """Return who is below the team, by which figure: the interval ends below that of the others."""
        return [
            (person, name)
            for person, figures in self.people.items()
            for name, share in figures.items()
            if _has_interval(share)
            and _has_interval(self.others[person][name])
            and share.high < self.others[person][name].low
        ]


def _has_interval(share: Share) -> bool:
    return share.count > 0 and share.has_interval


@dataclass
class _Column:
    person: list[int] = field(default_factory=list)
    image: list[int] = field(default_factory=list)
    value: list[float] = field(default_factory=list)

    def add(self, person: int, image: int, value: float) -> None:
        self.person.append(person)
        self.image.append(image)
        self.value.append(value)


def measure_gold(answers: Iterable[GoldAnswer]) -> GoldReport:
    """Measure how people answered gold tasks; answers are read once, and four numbers of each are kept.

    Intervals are over images. The referent is right if the IoU with the known mask is at least 0.5, or if
    both say that there is none. IoU and boundary IoU are over the tasks with a known mask; no mask counts 0.
    """
    columns = {name: _Column() for name in GOLD_FIGURES}
    images: dict[tuple[str, str], int] = {}
    n_unlike = 0
    for one in answers:
        if one.mask is not None and one.known is not None and one.mask.size != one.known.size:
            n_unlike += 1
            continue
        image = images.setdefault(one.image, len(images))
        iou, boundary_iou = _compare(one)
        is_right = one.mask is None if one.known is None else iou >= SAME_REFERENT_IOU
        columns["right referent"].add(one.annotator, image, float(is_right))
        if one.known is not None:
            columns["IoU"].add(one.annotator, image, iou)
            columns["boundary IoU"].add(one.annotator, image, boundary_iou)
    people = sorted(set(columns["right referent"].person))
    arrays = {
        name: (np.array(column.person), np.array(column.image), np.array(column.value, np.float64))
        for name, column in columns.items()
    }
    own: dict[int, dict[str, Share]] = {person: {} for person in people}
    others: dict[int, dict[str, Share]] = {person: {} for person in people}
    for name, (who, image_numbers, values) in arrays.items():
        for person in people:
            mine = who == person
            own[person][name] = _estimate(name, image_numbers[mine], values[mine])
            others[person][name] = _estimate(name, image_numbers[~mine], values[~mine])
    team = {name: _estimate(name, numbers, values) for name, (_, numbers, values) in arrays.items()}
    return GoldReport(own, others, team, n_unlike)


def _compare(one: GoldAnswer) -> tuple[float, float]:
    """Return IoU and boundary IoU of an answer with the known mask; 0 without one."""
    if one.mask is None or one.known is None:
        return 0.0, 0.0
    mask, known = decode_rle(one.mask), decode_rle(one.known)
    return compute_iou(mask, known), compute_boundary_iou(mask, known)


def _estimate(name: str, images: NDArray[np.int64], values: NDArray[np.float64]) -> Share:
    if not len(values):
        return _NO_SHARE
    return (
        estimate_right_share(values, images) if name == "right referent" else estimate_share(values, images)
    )


def estimate_right_share(values: NDArray[np.float64], images: NDArray[np.int64]) -> Share:
    """Estimate the share of right answers, with an interval also of few answers, or of all right ones.

    Several answers about one image may be right or wrong together. They count as fewer answers, as many as
    would have the same variance if they were independent; where all are right, or all wrong, as many as there
    are images.

    Args:
        values: [N], 1.0 for right and 0.0 for wrong.
        images: [N], the number of the image of each answer.

    Source: Korn and Graubard, Confidence intervals for proportions with small expected number of positive
    counts estimated from survey data (Survey Methodology 24, 1998).
    """
    mean = float(values.mean())
    n = _count_independent(values, images, mean)
    right = mean * n
    low = float(betaincinv(right, n - right + 1, _ALPHA / 2)) if mean > 0 else 0.0
    high = float(betaincinv(right + 1, n - right, 1 - _ALPHA / 2)) if mean < 1 else 1.0
    return Share(mean, low, high, len(values))


def _count_independent(values: NDArray[np.float64], images: NDArray[np.int64], mean: float) -> float:
    """Compute the number of independent answers that say as much about the share as these do."""
    _, image = np.unique(images, return_inverse=True)
    n_answers, counts = len(values), np.bincount(image)
    n_images = len(counts)
    if n_images < 2 or mean in (0.0, 1.0):
        return float(n_images)
    rests = np.bincount(image, weights=values) - mean * counts
    variance = float((rests**2).sum()) * n_images / (n_images - 1) / n_answers**2
    if not variance:
        return float(n_answers)
    shrink = (stdtrit(n_answers - 1, 1 - _ALPHA / 2) / stdtrit(n_images - 1, 1 - _ALPHA / 2)) ** 2
    return float(min(mean * (1 - mean) / variance * shrink, n_answers))
