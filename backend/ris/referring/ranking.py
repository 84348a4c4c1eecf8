"""Ranking: from every method's scores to the few alternatives that an annotator sees.

Three rules for proposals that are not one whole thing:

* **Parts.** A mask that lies almost wholly inside another, much larger one is a part of it, as a wheel is of
  a car. Its probability is discounted: a part is ranked first only when it is clearly better. It stays among
  the proposals, because an annotator may mean the wheel.
* **The whole image.** A mask that covers almost the whole image is ranked after all others.
* **Several things.** "The two dogs on the left" refers to two proposals together. When an expression refers
  to several things, the union of the best proposals that do not overlap is ranked first, and each one alone
  follows. The union has as many members as the expression states, or else all that are at least half as
  probable as the best.

A late proposal is ranked as the others, with two exceptions: it makes no earlier proposal a part, and one
that equals the union of other proposals does not follow that union.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ris.core.masks import compute_inside_matrix, compute_iou_matrix
from ris.core.rle import RLE
from ris.core.types import MethodScore, MethodScores, Suggestion
from ris.referring.absence import AbsenceModel, estimate_absence
from ris.referring.scene import Scene
from ris.referring.unions import (
    drop_late_copies,
    find_late_method,
    find_union_members,
    make_member_box,
    make_member_mask,
)

_MIN_PART_INSIDE = 0.9  # a part has at least this share of its area inside the larger mask
_MAX_PART_AREA_RATIO = 0.5  # and at most this share of the larger mask's area

DEFAULT_ALTERNATIVES = 3


@dataclass(frozen=True, slots=True)
class Fusion:
    """The numbers that fuse the methods' scores, by the method's name.

    Attributes:
        temperatures: divide a method's scores before the softmax; 1 when not given.
        weights: relative weights of the methods; 1 when not given. The scores of a method of weight 0 are
            shown and do not change the ranking.
    """

    temperatures: Mapping[str, float] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Calibration:
    """Platt scaling, learned from decisions: from a fused probability to the chance that the mask is right.

    The chance is sigmoid(slope * logit(probability) + intercept). A slope above 0 keeps the order of the
    alternatives.
    """

    slope: float = 1.0
    intercept: float = 0.0

    def compute_chance(self, probability: float) -> float:
        """Compute the chance in [0, 1] for a probability in [0, 1]."""
        return float(1 / (1 + np.exp(-(self.slope * compute_clipped_logit(probability) + self.intercept))))


def compute_clipped_logit(probability: float) -> float:
    """Compute the log-odds of a probability in [0, 1], clipped at odds of a million to one."""
    p = min(max(probability, 1e-6), 1 - 1e-6)
    return float(np.log(p / (1 - p)))


@dataclass(frozen=True, slots=True)
class Coefficients:
    """The numbers of a ranking that can be learned; the others are settings.

    Attributes:
        fusion: for the kinds of expressions that are not in `by_kind`.
        by_kind: fusions by kind of expression, see `ris.referring.kinds`.
        calibration: of the scores; None leaves them as they are.
        absence: of the chance that there is no referent; None is the prior one.
    """

    fusion: Fusion
    by_kind: Mapping[str, Fusion] = field(default_factory=dict)
    calibration: Calibration | None = None
    absence: AbsenceModel | None = None


@dataclass(frozen=True, slots=True)
class RankingSettings:
    """The numbers of the ranking.

    Attributes:
        alternatives: the largest number of suggestions.
        same_mask_iou: of masks with at least this IoU only the best becomes a suggestion.
        temperatures, weights: of the fusion, see `Fusion`.
        by_kind: learned fusions by kind of expression, see `ris.referring.kinds`.
        calibration: None until one was learned; scores are then probabilities among the proposals.
        part_discount: factor of the probability of a part.
        ground_share: share of the image's area; a mask that covers more is ranked last.
        absence: learned; None until one was.
        prechosen_from: the chance of no referent from which that answer is chosen in advance; None never.
    """

    alternatives: int = DEFAULT_ALTERNATIVES
    same_mask_iou: float = 0.85
    temperatures: Mapping[str, float] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)
    by_kind: Mapping[str, Fusion] = field(default_factory=dict)
    calibration: Calibration | None = None
    part_discount: float = 0.8
    ground_share: float = 0.95
    absence: AbsenceModel | None = None
    prechosen_from: float | None = None

    @property
    def coefficients(self) -> Coefficients:
        """The numbers that can be learned."""
        fusion = Fusion(self.temperatures, self.weights)
        return Coefficients(fusion, self.by_kind, self.calibration, self.absence)

    def replace_coefficients(self, found: Coefficients) -> "RankingSettings":
        """Return the same settings with other coefficients."""
        return replace(
            self, temperatures=found.fusion.temperatures, weights=found.fusion.weights,
            by_kind=found.by_kind, calibration=found.calibration, absence=found.absence,
        )  # fmt: skip

    def select_kind(self, kind: str) -> "RankingSettings":
        """Return the same settings with the fusion of one kind of expression."""
        own = self.by_kind.get(kind)
        return replace(self, temperatures=own.temperatures, weights=own.weights) if own else self


def make_suggestion_version(version: str, alternatives: int) -> str:
    """Name a set of suggestions: "tiny-1a2b3c4d" for three, "tiny-1a2b3c4d-top5" for another number.

    Another number of alternatives makes another set under another version. A stored set is not extended,
    because decisions were made on it and Label Studio stores one set per version. Learned rankings do not
    depend on the number, so they are stored under `version` itself: that of the networks and methods, or of a
    learned ranking for them.
    """
    return version if alternatives == DEFAULT_ALTERNATIVES else f"{version}-top{alternatives}"


def rank_proposals(
    scene: Scene, scores: Sequence[MethodScores], settings: RankingSettings, *, count: int = 1, version: str
) -> tuple[Suggestion, ...]:
    """Rank the proposals of a scene and return the best as suggestions, best first.

    A suggestion's score is the fused probability among all proposals of the scene, so it is comparable within
    one expression only. The score of a union is the sum of its members'. With a calibration the score is the
    chance that the mask is right. Equal scores keep the order of the proposals.

    Args:
        scene: gives the N proposals.
        scores: of each method, N; those that were skipped are left out.
        settings: of the ranking.
        count: number of things that the expression refers to; 0 for an unstated number above one.
        version: of the suggestions.

    Returns:
        At most `settings.alternatives`; none when there are no proposals or no method with weight ran.
    """
    fused = fuse_proposals(scene, scores, settings)
    if fused is None:
        return ()
    ran = [one for one in scores if not one.skipped_reason]
    absence = estimate_absence(scores, settings.absence, settings.prechosen_from)
    chosen: list[tuple[int, ...]] = [(i,) for i in select_distinct(scene, fused, settings)]
    union = () if count == 1 else find_union_members(scene, fused, count)
    if union:
        chosen = [union, *drop_late_copies(scene, union, chosen, settings.same_mask_iou)]
        chosen = chosen[: settings.alternatives]
    ranks = {one.method: compute_ranks(one.scores) for one in ran}
    return tuple(
        Suggestion(
            rank=rank,
            score=_to_score(min(1.0, float(fused[list(members)].sum())), settings),
            mask=make_member_mask(scene, members),
            box=make_member_box(scene, members),
            methods={
                o.method: MethodScore(
                    float(o.scores[list(members)].mean()), int(ranks[o.method][list(members)].min())
                )
                for o in ran
            },
            version=version,
            late_method=find_late_method(scene, members),
            absence=absence,
        )
        for rank, members in enumerate(chosen)
    )


def fuse_proposals(
    scene: Scene, scores: Sequence[MethodScores], settings: RankingSettings
) -> NDArray[np.float64] | None:
    """Compute each proposal's probability by the methods with weight: float64 [N], sums to 1.

    The rules for parts and for the whole image are applied. None when there are no proposals or no method
    with weight ran.
    """
    weighted = [o for o in scores if not o.skipped_reason and settings.weights.get(o.method, 1.0) > 0]
    if not weighted or not scene.masks:
        return None
    return apply_discounts(scene, fuse_methods(weighted, settings), settings)


def _to_score(probability: float, settings: RankingSettings) -> float:
    return settings.calibration.compute_chance(probability) if settings.calibration else probability


def fuse_methods(scores: Sequence[MethodScores], settings: RankingSettings) -> NDArray[np.float64]:
    """Fuse the scores of methods into probabilities: float64 [N], sums to 1; see `fuse_scores`."""
    return fuse_scores({one.method: one.scores for one in scores}, settings.coefficients.fusion)


def fuse_scores(scores: Mapping[str, NDArray[np.float32]], fusion: Fusion) -> NDArray[np.float64]:
    """Compute the weighted geometric mean of the methods' distributions: float64 [N], sums to 1.

    This is a logarithmic opinion pool: a mask that one method rules out is ranked low unless the others score
    it much higher. It ranks the drawn scenes better than the arithmetic mean. If all weights are 0, all
    methods have equal weights.

    Args:
        scores: by method, [N]; at least one method.
        fusion: temperatures and weights.
    """
    weights = np.array([fusion.weights.get(method, 1.0) for method in scores])
    weights = weights / weights.sum() if weights.sum() > 0 else np.full(len(scores), 1 / len(scores))
    parts = [np.log(compute_distribution(s, fusion.temperatures.get(m, 1.0))) for m, s in scores.items()]
    pooled = np.exp(np.einsum("m,mn->n", weights, np.array(parts)))
    return np.asarray(pooled / pooled.sum())


def compute_distribution(scores: NDArray[np.float32], temperature: float) -> NDArray[np.float64]:
    """Compute the softmax of scores / temperature: float64 [N], none below 1e-12 before normalisation."""
    exponents = scores.astype(np.float64) / temperature
    powers = np.maximum(np.exp(exponents - exponents.max()), 1e-12)
    return np.asarray(powers / powers.sum())


def apply_discounts(
    scene: Scene, fused: NDArray[np.float64], settings: RankingSettings
) -> NDArray[np.float64]:
    """Apply the rules for parts and for the whole image to probabilities: float64 [N], sums to 1."""
    discounted = compute_discounts(scene.masks, settings, n_late=len(scene.late)) * fused
    return np.asarray(discounted / discounted.sum())


def compute_discounts(
    masks: Sequence[RLE], settings: RankingSettings, *, n_late: int = 0
) -> NDArray[np.float64]:
    """Compute each mask's factor by the rules for parts and for the whole image: float64 [N].

    Args:
        masks: N masks.
        settings: of the ranking.
        n_late: how many of the last masks are late proposals. The factors of the others do not depend on
            these.
    """
    height, width = masks[0].size
    areas = np.array([mask.area_px for mask in masks], np.float64)
    inside = compute_inside_matrix(masks, masks) >= _MIN_PART_INSIDE
    is_ground = areas > settings.ground_share * height * width
    is_within = inside & (areas[:, None] <= _MAX_PART_AREA_RATIO * areas[None]) & ~is_ground[None]
    n_early = len(masks) - n_late
    is_within[:n_early, n_early:] = False
    is_part = is_within.any(1)
    factors = np.where(is_part, settings.part_discount, 1.0)
    return np.where(is_ground, 1e-6 * factors, factors)


def compute_ranks(scores: NDArray) -> NDArray[np.intp]:
    """Compute each proposal's rank by its score, 0 is best: int [N]. Equal scores keep their order."""
    order = np.argsort(-scores, kind="stable")
    ranks = np.empty(len(scores), np.intp)
    ranks[order] = np.arange(len(scores))
    return ranks


def select_distinct(scene: Scene, scores: NDArray[np.float64], settings: RankingSettings) -> list[int]:
    """Select the best proposals without near-duplicates: their indices, best first."""
    order = [int(i) for i in np.argsort(-scores, kind="stable")]
    same = compute_iou_matrix(scene.masks, scene.masks) >= settings.same_mask_iou
    chosen: list[int] = []
    for i in order:
        if not any(same[i, j] for j in chosen):
            chosen.append(i)
        if len(chosen) == settings.alternatives:
            break
    return chosen
