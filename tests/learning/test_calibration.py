import numpy as np
import pytest

from ris.learning.calibration import compute_brier_scores, fit_calibration
from ris.referring.ranking import Calibration, compute_clipped_logit


def answers(slope, intercept, n=20_000):
    """Probabilities, and outcomes that follow a known calibration of them."""
    rng = np.random.default_rng(3)
    probabilities = rng.uniform(0.02, 0.98, n)
    chances = [Calibration(slope, intercept).compute_chance(p) for p in probabilities]
    return probabilities.tolist(), (rng.random(n) < chances).tolist()


@pytest.mark.parametrize(("slope", "intercept"), [(0.4, -1.0), (1.0, 0.0), (2.0, 0.5)])
def test_the_calibration_that_made_the_answers_is_found_again(slope, intercept):
    found = fit_calibration(*answers(slope, intercept))

    assert (found.slope, found.intercept) == pytest.approx((slope, intercept), abs=0.08)


def test_one_kind_of_answer_is_not_enough():
    assert fit_calibration([0.1, 0.9] * 50, [True] * 95 + [False] * 5) is None


def test_when_surer_is_not_righter_there_is_no_calibration():
    probabilities, right = answers(1.0, 0.0, 500)

    assert fit_calibration(probabilities, [not one for one in right]) is None


def test_the_brier_score_is_the_squared_distance_from_what_was_so():
    assert compute_brier_scores([0.5, 1.0], [True, False], None).tolist() == [0.25, 1.0]
    assert compute_brier_scores([0.5], [True], Calibration(1, compute_clipped_logit(0.9)))[
        0
    ] == pytest.approx(0.01)
