"""From every method's scores to the few alternatives that an annotator sees."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from backend.core.masks import iou_matrix
from backend.core.types import MethodScore, Scored, Suggestion
from backend.referring.scene import Scene


@dataclass(frozen=True, slots=True)
class RankingSettings:
    """How opinions become one list.

    Attributes:
        alternatives: at most so many leave.
        same_mask_iou: of two masks that overlap at least so much only the better one leaves: to an
            annotator they are one.
        temperatures: by the method's name, what its scores are divided by before the softmax.
        weights: by the method's name, its share in the fusion; equal when not given.
    """

    alternatives: int = 3
    same_mask_iou: float = 0.85
    temperatures: Mapping[str, float] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)


def rank(
    scene: Scene, opinions: Sequence[Scored], settings: RankingSettings, *, version: str
) -> tuple[Suggestion, ...]:
    """The best alternatives, best first; empty when there are no proposals or no opinions.

    A suggestion's score is the fused probability among all proposals of the scene, so it compares
    within one expression only. Equal scores keep the order of the proposals, on every machine.
    """
    ran = [opinion for opinion in opinions if not opinion.left_out]
    if not ran or not scene.masks:
        return ()
    fused = fuse(ran, settings)
    orders = {opinion.method: places(opinion.scores) for opinion in ran}
    return tuple(
        Suggestion(
            rank=place,
            score=float(fused[i]),
            mask=scene.masks[i],
            box=scene.boxes[i],
            methods={o.method: MethodScore(float(o.scores[i]), int(orders[o.method][i])) for o in ran},
            version=version,
        )
        for place, i in enumerate(distinct(scene, fused, settings))
    )


def fuse(opinions: Sequence[Scored], settings: RankingSettings) -> NDArray[np.float64]:
    """The methods' distributions, mixed by their weights: float64 [N], sums to 1."""
    weights = np.array([settings.weights.get(o.method, 1.0) for o in opinions])
    parts = [distribution(o.scores, settings.temperatures.get(o.method, 1.0)) for o in opinions]
    return np.asarray(np.einsum("m,mn->n", weights / weights.sum(), np.array(parts)))


def distribution(scores: NDArray[np.float32], temperature: float) -> NDArray[np.float64]:
    """Softmax of the scores over the temperature: float64 [N]."""
    exponents = scores.astype(np.float64) / temperature
    powers = np.exp(exponents - exponents.max())
    return np.asarray(powers / powers.sum())


def places(scores: NDArray) -> NDArray[np.intp]:
    """Each proposal's place by its score, 0 is best: int [N]. Stable: equal scores keep their order."""
    order = np.argsort(-scores, kind="stable")
    ranks = np.empty(len(scores), np.intp)
    ranks[order] = np.arange(len(scores))
    return ranks


def distinct(scene: Scene, scores: NDArray[np.float64], settings: RankingSettings) -> list[int]:
    """Indices of the best proposals, best first, without near-duplicates."""
    order = [int(i) for i in np.argsort(-scores, kind="stable")]
    same = iou_matrix(scene.masks, scene.masks) >= settings.same_mask_iou
    chosen: list[int] = []
    for i in order:
        if not any(same[i, j] for j in chosen):
            chosen.append(i)
        if len(chosen) == settings.alternatives:
            break
    return chosen
