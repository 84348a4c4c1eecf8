"""From the first alternative's probability to the chance that it is right: Platt's scaling, from cases."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from ris.referring.ranking import Calibration, compute_clipped_logit

_MIN_CALIBRATION_CASES = 10  # right ones, and wrong ones: a line needs both


def fit_calibration(probabilities: Sequence[float], right: Sequence[bool]) -> Calibration | None:
    """The calibration that fits; None when there is too little of either, or when surer is not righter.

    Args:
        probabilities: fused, of what came first, of cases that the fusion was not fitted on.
        right: whether it was, IoU of at least 0.5.
    """
    wanted = np.asarray(right, np.bool_)
    if min(wanted.sum(), (~wanted).sum()) < _MIN_CALIBRATION_CASES:
        return None
    model = LogisticRegression(C=100.0).fit([[compute_clipped_logit(p)] for p in probabilities], wanted)
    slope, intercept = float(model.coef_[0, 0]), float(model.intercept_[0])
    return Calibration(slope, intercept) if slope > 0 else None


def compute_brier_scores(
    probabilities: Sequence[float], right: Sequence[bool], calibration: Calibration | None
) -> NDArray[np.float64]:
    """Squared distance of what was said from what was so: float64 [C], 0 is best."""
    said = [calibration.compute_chance(p) if calibration else p for p in probabilities]
    return np.asarray((np.array(said) - np.asarray(right, np.float64)) ** 2)
