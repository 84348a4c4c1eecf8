"""How much learning wins back when one method talks nonsense: the benchmark of learning itself."""

import itertools
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ris.learning.case import Case
from ris.learning.learner import learn
from ris.referring.ranking import Coefficients, Fusion

GRID = (0.0, 0.25, 0.5, 1.0)


@dataclass(frozen=True, slots=True)
class Trial:
    """One seed. All three figures are mIoU of the first, on images that nothing was learned from.

    Attributes:
        before: with the preset's fusion.
        learned: with what was learned, or with the preset's where nothing was taken.
        best: with the best fixed fusion of each kind, found on these very images: what cannot be beaten.
    """

    seed: int
    before: float
    learned: float
    best: float

    @property
    def regained(self) -> float:
        """The share of what could be won; 1 when there was nothing to win."""
        possible = self.best - self.before
        return (self.learned - self.before) / possible if possible > 0 else 1.0


def trial(
    cases: Sequence[Case], prior: Coefficients, methods: Sequence[str], seed: int, *, handicap: bool
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
        cases = [_deafened(case, deaf[case.kind], rng) for case in cases]
    train = [case for case in cases if case.image in seen]
    test = [case for case in cases if case.image not in seen]
    found = learn(train, prior=prior, current=prior).coefficients or prior
    return Trial(
        seed, _first(test, prior), _first(test, found), _first(test, best_fixed(test, prior, methods))
    )


def _deafened(case: Case, method: str, rng: random.Random) -> Case:
    """The case with one method's scores dealt to other proposals than they were meant for."""
    if method not in case.scores:
        return case
    own = case.scores[method].copy()
    own = own[rng.sample(range(len(own)), len(own))]
    return replace(case, scores={**case.scores, method: own})


def best_fixed(cases: Sequence[Case], prior: Coefficients, methods: Sequence[str]) -> Coefficients:
    """For each kind the weights of a grid that are best on these cases themselves."""
    by_kind: dict[str, Fusion] = {}
    for kind in sorted({case.kind for case in cases}):
        own = [case for case in cases if case.kind == kind]
        options = [
            replace(prior, fusion=Fusion(prior.fusion.temperatures, _weights(prior, methods, shares)))
            for shares in itertools.product(GRID, repeat=len(methods))
            if max(shares) == 1.0
        ]
        by_kind[kind] = max(options, key=lambda option: _first(own, option)).fusion
    return replace(prior, by_kind=by_kind)


def _weights(prior: Coefficients, methods: Sequence[str], shares: Sequence[float]) -> Mapping[str, float]:
    return {**prior.fusion.weights, **dict(zip(methods, shares, strict=True))}


def _first(cases: Sequence[Case], found: Coefficients) -> float:
    return float(np.mean([case.first(found)[1] for case in cases]))
