"""From every method's scores to the few alternatives that an annotator sees.

Three rules about what is no single whole thing:

* **Parts.** "The car" has a wheel, and a wheel may be proposed. A mask that lies almost wholly inside
  another, much larger one is a part of it. Parts stay on offer, because an annotator may mean the wheel,
  but a part must be clearly better than the rest to come first: its probability is discounted.
* **The whole image.** A mask that covers almost everything is the ground, or nothing. It is offered
  after all others.
* **Several things.** "The two dogs on the left" means two proposals together. When the words mean more
  than one thing, the union of the best that do not overlap is offered first, as many as were said, or all
  that are at least half as probable as the best when nobody said how many; each alone follows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ris.core.masks import compute_inside_matrix, compute_iou_matrix, unite_masks
from ris.core.rle import RLE
from ris.core.types import Box, MethodScore, MethodScores, Suggestion
from ris.referring.scene import Scene

_MIN_PART_INSIDE, _MAX_PART_AREA_RATIO = (
    0.9,
    0.5,
)  # a part: so much of it inside another, and at most so large
_MAX_OVERLAP = 0.1  # things that are counted share at most so much of either
_MIN_RELATIVE_PROBABILITY, _MAX_UNITED_MASKS = (
    0.5,
    6,
)  # of the best one's probability; and never more than so many at once


DEFAULT_ALTERNATIVES = 3


@dataclass(frozen=True, slots=True)
class Fusion:
    """How the methods' opinions are joined; both by the method's name.

    Attributes:
        temperatures: what a method's scores are divided by before the softmax; 1 when not given.
        weights: its share in the fusion; equal when not given. A method of weight 0 is shown beside the
            others and has no vote.
    """

    temperatures: Mapping[str, float] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Calibration:
    """From a fused probability to the chance that the mask is right, learned from decisions.

    The chance is sigmoid(slope * logit(probability) + intercept): Platt's scaling. A slope above 0 keeps
    the order of the alternatives.
    """

    slope: float = 1.0
    intercept: float = 0.0

    def compute_chance(self, probability: float) -> float:
        """In [0, 1], of a probability in [0, 1]."""
        return float(1 / (1 + np.exp(-(self.slope * compute_clipped_logit(probability) + self.intercept))))


def compute_clipped_logit(probability: float) -> float:
    """The log of the odds, those of certainty cut at a million to one."""
    p = min(max(probability, 1e-6), 1 - 1e-6)
    return float(np.log(p / (1 - p)))


@dataclass(frozen=True, slots=True)
class Coefficients:
    """What can be learned of a ranking; everything else of it is a setting.

    Attributes:
        fusion: for every kind of expression that is not in `by_kind`.
        by_kind: by `referring.kinds`.
        calibration: None leaves scores as they are.
    """

    fusion: Fusion
    by_kind: Mapping[str, Fusion] = field(default_factory=dict)
    calibration: Calibration | None = None


@dataclass(frozen=True, slots=True)
class RankingSettings:
    """How opinions become one list.

    Attributes:
        alternatives: at most so many leave.
        same_mask_iou: of two masks that overlap at least so much only the better one leaves: to an
            annotator they are one.
        temperatures, weights: of the fusion, see `Fusion`.
        by_kind: the fusion of a kind of expression (`referring.kinds`), where it was learned.
        calibration: None until there were decisions to learn it from; scores are then shares among the
            proposals.
        part_discount: what a part's probability is multiplied by.
        ground_share: of the image; what covers more is offered last.
    """

    alternatives: int = DEFAULT_ALTERNATIVES
    same_mask_iou: float = 0.85
    temperatures: Mapping[str, float] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)
    by_kind: Mapping[str, Fusion] = field(default_factory=dict)
    calibration: Calibration | None = None
    part_discount: float = 0.8
    ground_share: float = 0.95

    @property
    def coefficients(self) -> Coefficients:
        """What of it can be learned."""
        return Coefficients(Fusion(self.temperatures, self.weights), self.by_kind, self.calibration)

    def replace_coefficients(self, found: Coefficients) -> "RankingSettings":
        """The same with other coefficients."""
        return replace(
            self, temperatures=found.fusion.temperatures, weights=found.fusion.weights,
            by_kind=found.by_kind, calibration=found.calibration,
        )  # fmt: skip

    def select_kind(self, kind: str) -> "RankingSettings":
        """The same with the fusion of one kind of expression."""
        own = self.by_kind.get(kind)
        return replace(self, temperatures=own.temperatures, weights=own.weights) if own else self


def make_suggestion_version(version: str, alternatives: int) -> str:
    """Name a set of suggestions: "tiny-1a2b3c4d" for three, "tiny-1a2b3c4d-top5" for another number.

    Another number of alternatives is another set: a set that was shown is never changed afterwards, because
    decisions were made on it, and Label Studio stores one set for each version. What was learned does not
    depend on the number, so it is kept under `version` itself.

    Args:
        version: of the networks and methods, or of a ranking that was learned for them.
        alternatives: at most so many are shown.
    """
    return version if alternatives == DEFAULT_ALTERNATIVES else f"{version}-top{alternatives}"


def rank_proposals(
    scene: Scene, opinions: Sequence[MethodScores], settings: RankingSettings, *, count: int = 1, version: str
) -> tuple[Suggestion, ...]:
    """The best alternatives, best first; empty when there are no proposals or no opinions.

    A suggestion's score is the fused probability among all proposals of the scene, so it compares
    within one expression only, and that of a union is the sum; with a calibration it is the chance that the
    mask is right. Equal scores keep the order of the proposals,
    on every machine.

    Args:
        count: how many things the words mean; 0 for "several".
    """
    ran = [opinion for opinion in opinions if not opinion.skipped_reason]
    voting = [opinion for opinion in ran if settings.weights.get(opinion.method, 1.0) > 0]
    if not voting or not scene.masks:
        return ()
    fused = apply_discounts(scene, fuse_methods(voting, settings), settings)
    chosen: list[tuple[int, ...]] = [(i,) for i in select_distinct(scene, fused, settings)]
    together = () if count == 1 else find_union_members(scene, fused, count)
    if together:
        chosen = [together, *chosen][: settings.alternatives]
    orders = {opinion.method: compute_places(opinion.scores) for opinion in ran}
    return tuple(
        Suggestion(
            rank=place,
            score=_to_score(min(1.0, float(fused[list(members)].sum())), settings),
            mask=_make_mask(scene, members),
            box=_make_box(scene, members),
            methods={
                o.method: MethodScore(
                    float(o.scores[list(members)].mean()), int(orders[o.method][list(members)].min())
                )
                for o in ran
            },
            version=version,
        )
        for place, members in enumerate(chosen)
    )


def _to_score(probability: float, settings: RankingSettings) -> float:
    return settings.calibration.compute_chance(probability) if settings.calibration else probability


def fuse_methods(opinions: Sequence[MethodScores], settings: RankingSettings) -> NDArray[np.float64]:
    """The fused opinion of the methods: float64 [N], sums to 1; see `fuse_scores`."""
    return fuse_scores({o.method: o.scores for o in opinions}, settings.coefficients.fusion)


def fuse_scores(scores: Mapping[str, NDArray[np.float32]], fusion: Fusion) -> NDArray[np.float64]:
    """The weighted geometric mean of the methods' distributions: float64 [N], sums to 1.

    A logarithmic opinion pool: a mask that one method rules out needs much from the others, which ranks
    the drawn scenes better than the plain mean does. Where no method has a weight, all have the same.

    Args:
        scores: by method, [N]; at least one.
    """
    weights = np.array([fusion.weights.get(method, 1.0) for method in scores])
    weights = weights / weights.sum() if weights.sum() > 0 else np.full(len(scores), 1 / len(scores))
    parts = [np.log(compute_distribution(s, fusion.temperatures.get(m, 1.0))) for m, s in scores.items()]
    pooled = np.exp(np.einsum("m,mn->n", weights, np.array(parts)))
    return np.asarray(pooled / pooled.sum())


def compute_distribution(scores: NDArray[np.float32], temperature: float) -> NDArray[np.float64]:
    """Softmax of the scores over the temperature: float64 [N], none below 1e-12."""
    exponents = scores.astype(np.float64) / temperature
    powers = np.maximum(np.exp(exponents - exponents.max()), 1e-12)
    return np.asarray(powers / powers.sum())


def apply_discounts(
    scene: Scene, fused: NDArray[np.float64], settings: RankingSettings
) -> NDArray[np.float64]:
    """The rules for parts and for the whole image, on probabilities: float64 [N], sums to 1."""
    weighed = compute_discounts(scene.masks, settings) * fused
    return np.asarray(weighed / weighed.sum())


def compute_discounts(masks: Sequence[RLE], settings: RankingSettings) -> NDArray[np.float64]:
    """What the rules for parts and for the whole image multiply each mask's probability by: float64 [N]."""
    height, width = masks[0].size
    areas = np.array([mask.area_px for mask in masks], np.float64)
    inside = compute_inside_matrix(masks, masks) >= _MIN_PART_INSIDE
    is_ground = areas > settings.ground_share * height * width
    is_part = (inside & (areas[:, None] <= _MAX_PART_AREA_RATIO * areas[None]) & ~is_ground[None]).any(1)
    weighed = np.where(is_part, settings.part_discount, 1.0)
    return np.where(is_ground, 1e-6 * weighed, weighed)


def compute_places(scores: NDArray) -> NDArray[np.intp]:
    """Each proposal's place by its score, 0 is best: int [N]. Stable: equal scores keep their order."""
    order = np.argsort(-scores, kind="stable")
    ranks = np.empty(len(scores), np.intp)
    ranks[order] = np.arange(len(scores))
    return ranks


def select_distinct(scene: Scene, scores: NDArray[np.float64], settings: RankingSettings) -> list[int]:
    """Indices of the best proposals, best first, without near-duplicates."""
    order = [int(i) for i in np.argsort(-scores, kind="stable")]
    same = compute_iou_matrix(scene.masks, scene.masks) >= settings.same_mask_iou
    chosen: list[int] = []
    for i in order:
        if not any(same[i, j] for j in chosen):
            chosen.append(i)
        if len(chosen) == settings.alternatives:
            break
    return chosen


def find_union_members(scene: Scene, fused: NDArray[np.float64], count: int) -> tuple[int, ...]:
    """The best proposals that do not overlap: `count` of them, or for 0 all that are nearly as probable.

    Empty when there are not two, or fewer than were said.
    """
    inside = compute_inside_matrix(scene.masks, scene.masks)
    chosen: list[int] = []
    for i in (int(i) for i in np.argsort(-fused, kind="stable")):
        if len(chosen) == (count or _MAX_UNITED_MASKS) or (
            not count and fused[i] < _MIN_RELATIVE_PROBABILITY * fused.max()
        ):
            break
        if all(max(inside[i, j], inside[j, i]) <= _MAX_OVERLAP for j in chosen):
            chosen.append(i)
    return tuple(chosen) if len(chosen) >= max(2, count) else ()


def _make_mask(scene: Scene, members: tuple[int, ...]) -> RLE:
    return scene.masks[members[0]] if len(members) == 1 else unite_masks([scene.masks[i] for i in members])


def _make_box(scene: Scene, members: tuple[int, ...]) -> Box:
    x1, y1, x2, y2 = zip(*(scene.boxes[i] for i in members), strict=True)
    return min(x1), min(y1), max(x2), max(y2)
