"""How much learning wins back when one method talks nonsense: the benchmark of learning itself."""

import itertools
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ris.learning.case import TrainingCase
from ris.learning.learner import fit_coefficients
from ris.referring.ranking import Coefficients, Fusion

_WEIGHT_GRID = (0.0, 0.25, 0.5, 1.0)


@dataclass(frozen=True, slots=True)
class Trial:
    """One seed. All three figures are mIoU of the first, on images that nothing was learned from.

    Attributes:
        before: with the preset's fusion.
        after: with what was learned, or with the preset's where nothing was taken.
        best: with the best fixed fusion of each kind, found on these very images: what cannot be beaten.
    """

    seed: int
    before: float
    after: float
    best: float

    @property
    def recovery(self) -> float:
        """The share of what could be won; 1 when there was nothing to win."""
        possible = self.best - self.before
        return (self.after - self.before) / possible if possible > 0 else 1.0


def run_trial(
    cases: Sequence[TrainingCase], prior: Coefficients, methods: Sequence[str], seed: int, *, handicap: bool
) -> Trial:
    """Learn from half of the images, and judge on the other half.

    Args:
        methods: those that vote.
        handicap: let, for each kind of expression, one method that is drawn score at random.
    """
    rng = random.Random(seed)
    images = sorted({case.image for case in cases})
    seen = set(rng.sample(images, len(images) // 2))
    if handicap:
        deaf = {kind: rng.choice(methods) for kind in sorted({case.kind for case in cases})}
        cases = [_shuffle_scores(case, deaf[case.kind], rng) for case in cases]
    train = [case for case in cases if case.image in seen]
    test = [case for case in cases if case.image not in seen]
    found = fit_coefficients(train, prior=prior, current=prior).coefficients or prior
    return Trial(
        seed,
        _compute_first_iou(test, prior),
        _compute_first_iou(test, found),
        _compute_first_iou(test, find_best_fixed(test, prior, methods)),
    )


def _shuffle_scores(case: TrainingCase, method: str, rng: random.Random) -> TrainingCase:
    """The case with one method's scores dealt to other proposals than they were meant for."""
    if method not in case.scores:
        return case
    own = case.scores[method].copy()
    own = own[rng.sample(range(len(own)), len(own))]
    return replace(case, scores={**case.scores, method: own})


def find_best_fixed(
    cases: Sequence[TrainingCase], prior: Coefficients, methods: Sequence[str]
) -> Coefficients:
    """For each kind the weights of a grid that are best on these cases themselves."""
    by_kind: dict[str, Fusion] = {}
    for kind in sorted({case.kind for case in cases}):
        own = [case for case in cases if case.kind == kind]
        options = [
            replace(prior, fusion=Fusion(prior.fusion.temperatures, _make_weights(prior, methods, shares)))
            for shares in itertools.product(_WEIGHT_GRID, repeat=len(methods))
            if max(shares) == 1.0
        ]
        by_kind[kind] = max(options, key=lambda option: _compute_first_iou(own, option)).fusion
    return replace(prior, by_kind=by_kind)


def _make_weights(
    prior: Coefficients, methods: Sequence[str], shares: Sequence[float]
) -> Mapping[str, float]:
    return {**prior.fusion.weights, **dict(zip(methods, shares, strict=True))}


def _compute_first_iou(cases: Sequence[TrainingCase], found: Coefficients) -> float:
    return float(np.mean([case.find_first(found)[1] for case in cases]))
