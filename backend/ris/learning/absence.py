"""Fit the chance that an expression has no referent to the answers "object not in image"."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from ris.learning.case import TrainingCase
from ris.referring.absence import AbsenceModel

_MIN_ABSENCE_CASES = 10  # with a referent, and without one
_PENALTY = 0.3  # per squared change of a coefficient, on the scale of one case's log-probability


def fit_absence(cases: Sequence[TrainingCase]) -> AbsenceModel | None:
    """Fit the chance of no referent: a logistic regression that is pulled towards the prior one.

    Args:
        cases: those of which no method said anything are not used.

    Returns:
        None when there are fewer than 10 cases with a referent or without one.
    """
    usable = [case for case in cases if case.absence]
    targets = np.array([not case.has_referent for case in usable], np.float64)
    if min(targets.sum(), len(targets) - targets.sum()) < _MIN_ABSENCE_CASES:
        return None
    prior = AbsenceModel()
    names = sorted({name for case in usable for name in case.absence})
    signals = np.array([[1.0, *(case.absence.get(name, 0.0) for name in names)] for case in usable])
    start = np.array([prior.intercept, *(prior.weights.get(name, 0.0) for name in names)])

    def compute_penalised_cost(values: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        logits, change = signals @ values, values - start
        cost = float(np.logaddexp(0, logits).sum() - targets @ logits + _PENALTY * change @ change)
        return cost, signals.T @ (1 / (1 + np.exp(-logits)) - targets) + 2 * _PENALTY * change

    bounds = [(None, None), *[(0, None)] * len(names)]
    found = minimize(compute_penalised_cost, start, jac=True, method="L-BFGS-B", bounds=bounds)
    intercept, *weights = (float(value) for value in found.x)
    return AbsenceModel(intercept, dict(zip(names, weights, strict=True)))


def compute_absence_errors(cases: Sequence[TrainingCase], model: AbsenceModel | None) -> NDArray[np.float64]:
    """Compute (chance of no referent - is there none)^2 of C cases: float64 [C], 0 is best.

    Args:
        cases: C cases.
        model: None for the prior one.
    """
    chances = np.array([(model or AbsenceModel()).compute_chance(case.absence) for case in cases])
    return np.asarray((chances - np.array([not case.has_referent for case in cases], np.float64)) ** 2)
