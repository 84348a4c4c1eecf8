"""The chance that an expression has no referent in its image, by what the methods say of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from ris.core.types import Absence, MethodScores

# A guess, until `ris learn` has fitted it to answers "object not in image".
_PRIOR_WEIGHTS = MappingProxyType({"grounder": 2.0, "verifier": 3.5})


@dataclass(frozen=True, slots=True)
class AbsenceModel:
    """A logistic regression: the chance is sigmoid(intercept + the sum of weights x what the methods say).

    Attributes:
        intercept: log-odds where no method says anything.
        weights: by method, at least 0.
    """

    intercept: float = -3.0
    weights: Mapping[str, float] = field(default_factory=lambda: dict(_PRIOR_WEIGHTS))

    def compute_chance(self, signals: Mapping[str, float]) -> float:
        """Compute the chance in [0, 1]; signals are `MethodScores.absence` by method."""
        total = self.intercept + sum(self.weights.get(name, 0.0) * value for name, value in signals.items())
        return float(1 / (1 + np.exp(-total)))


def find_absence_signals(scores: Sequence[MethodScores]) -> dict[str, float]:
    """Find what the methods say of whether there is a referent, by method; empty if none says anything."""
    return {one.method: one.absence for one in scores if one.absence is not None}


def estimate_absence(
    scores: Sequence[MethodScores], model: AbsenceModel | None, prechosen_from: float | None
) -> Absence | None:
    """Estimate the chance that there is no referent; None if no method says anything of it.

    Args:
        scores: of all methods, those that were skipped included.
        model: None for the prior one.
        prechosen_from: the chance from which the answer is chosen in advance; None never.
    """
    signals = find_absence_signals(scores)
    if not signals:
        return None
    chance = (model or AbsenceModel()).compute_chance(signals)
    return Absence(chance, is_prechosen=prechosen_from is not None and chance >= prechosen_from)
