"""Random training cases in which it is known which method is right for which kind of expression."""

import numpy as np

from ris.learning.case import TrainingCase
from ris.referring.ranking import Coefficients, Fusion

PRIOR = Coefficients(Fusion({"eyes": 1.0, "ears": 1.0}, {"eyes": 1.0, "ears": 1.0}))


def case(rng, kind="plain", image="0", *, good=("eyes",), n=5, right=None, clear=3.0):
    """The good methods favour what is right, the clearer the surer; the others anything."""
    right = int(rng.integers(n)) if right is None else right
    scores = {
        name: (rng.normal(size=n) + (clear * (np.arange(n) == right) if name in good else 0)).astype(
            np.float32
        )
        for name in ("eyes", "ears")
    }
    return TrainingCase(kind, image, scores, np.ones(n), (np.arange(n) == right) * 0.9)


def cases(n, *, seed=0, good=("eyes",), kind="plain", per_image=3, clear=3.0):
    rng = np.random.default_rng(seed)
    return [case(rng, kind, f"{kind}{i // per_image}", good=good, clear=clear) for i in range(n)]


def mean_iou(found, coefficients):
    return float(np.mean([one.find_first(coefficients)[1] for one in found]))
