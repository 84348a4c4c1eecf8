"""Platt scaling of the first suggestion's probability, fitted on training cases."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from ris.referring.ranking import Calibration, compute_clipped_logit

_MIN_CALIBRATION_CASES = 10  # of right first masks, and of wrong ones


def fit_calibration(probabilities: Sequence[float], is_right: Sequence[bool]) -> Calibration | None:
    """Fit a calibration.

    Args:
        probabilities: fused, of the first mask of C cases that the fusion was not fitted on.
        is_right: whether that mask has an IoU of at least 0.5 with the final mask.

    Returns:
        None when there are fewer than 10 right or 10 wrong masks, or when the slope is not above 0.
    """
    targets = np.asarray(is_right, np.bool_)
    if min(targets.sum(), (~targets).sum()) < _MIN_CALIBRATION_CASES:
        return None
    model = LogisticRegression(C=100.0).fit([[compute_clipped_logit(p)] for p in probabilities], targets)
    slope, intercept = float(model.coef_[0, 0]), float(model.intercept_[0])
    return Calibration(slope, intercept) if slope > 0 else None


def compute_brier_scores(
    probabilities: Sequence[float], is_right: Sequence[bool], calibration: Calibration | None
) -> NDArray[np.float64]:
    """Compute the Brier score, (chance - is_right)^2, of C cases: float64 [C], 0 is best."""
    chances = [calibration.compute_chance(p) if calibration else p for p in probabilities]
    return np.asarray((np.array(chances) - np.asarray(is_right, np.float64)) ** 2)
