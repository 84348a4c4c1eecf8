"""The benchmark of learning: shuffle one method's scores and measure the recovery."""

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
    """The result of one seed. All three figures are the mean IoU of the first mask on the test images.

    Attributes:
        seed: of the split and of the shuffling.
        before: with the preset's fusion.
        after: with the learned fusion; as `before` where none was accepted.
        best: with the best fixed weights of each kind, found on the test images themselves: an upper bound.
    """

    seed: int
    before: float
    after: float
    best: float

    @property
    def recovery(self) -> float:
        """The share of the possible gain that was reached; 1 when no gain was possible."""
        possible = self.best - self.before
        return (self.after - self.before) / possible if possible > 0 else 1.0


def run_trial(
    cases: Sequence[TrainingCase], prior: Coefficients, methods: Sequence[str], seed: int, *, handicap: bool
) -> Trial:
    """Learn from half of the images, and evaluate on the other half.

    Args:
        cases: of all images.
        prior: the preset's own coefficients.
        methods: those with a weight above 0.
        seed: of the split and of the shuffling.
        handicap: for each kind of expression, shuffle the scores of one method, drawn at random.
    """
    rng = random.Random(seed)
    images = sorted({case.image for case in cases})
    seen = set(rng.sample(images, len(images) // 2))
    if handicap:
        shuffled_method = {kind: rng.choice(methods) for kind in sorted({case.kind for case in cases})}
        cases = [_shuffle_scores(case, shuffled_method[case.kind], rng) for case in cases]
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
    """Return the case with one method's scores in random order."""
    if method not in case.scores:
        return case
    scores = case.scores[method]
    shuffled = scores[rng.sample(range(len(scores)), len(scores))]
    return replace(case, scores={**case.scores, method: shuffled})


def find_best_fixed(
    cases: Sequence[TrainingCase], prior: Coefficients, methods: Sequence[str]
) -> Coefficients:
    """Find for each kind the weights of a grid that are best on these cases."""
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
