from dataclasses import replace

import numpy as np
import pytest

from ris.learning.learner import fit_coefficients
from ris.referring.ranking import Calibration, Coefficients, Fusion
from tests.learning.worlds import PRIOR, cases, mean_iou


def test_what_is_better_on_held_out_images_is_taken():
    finding = fit_coefficients(cases(200), prior=PRIOR, current=PRIOR)

    assert finding.coefficients.fusion.weights["eyes"] > 0.8
    assert finding.figures["gain"]["low"] > 0
    assert finding.summary[0].endswith(": kept")
    unseen = cases(300, seed=5)
    assert mean_iou(unseen, finding.coefficients) > mean_iou(unseen, PRIOR)


@pytest.mark.parametrize("seed", range(5))
def test_where_nothing_can_be_better_the_fusion_stays(seed):
    """Both methods are as good as each other, and the prior trusts both alike."""
    finding = fit_coefficients(cases(90, seed=seed, good=("eyes", "ears")), prior=PRIOR, current=PRIOR)

    assert finding.coefficients is None or finding.coefficients.fusion == PRIOR.fusion
    assert "not kept" in finding.summary[0]


def test_what_is_in_use_already_is_not_taken_again():
    first = fit_coefficients(cases(200), prior=PRIOR, current=PRIOR).coefficients
    again = fit_coefficients(cases(200), prior=PRIOR, current=first)

    assert again.coefficients is None


def test_scores_become_the_chance_of_being_right():
    """The method is right about half of the time, and its preset is always sure."""
    sure = Coefficients(Fusion({"eyes": 0.1, "ears": 1.0}, {"eyes": 1.0, "ears": 0.0}))
    found = fit_coefficients(cases(300, clear=1.0), prior=sure, current=sure).coefficients

    firsts = [one.find_first(found) for one in cases(900, seed=8, clear=1.0)]
    was = np.mean([iou >= 0.5 for _, iou in firsts])
    said = np.mean([found.calibration.compute_chance(p) for p, _ in firsts])
    assert was < 0.7 < np.mean([p for p, _ in firsts])
    assert said == pytest.approx(was, abs=0.06)
    assert found.calibration.slope > 0


def test_too_few_decisions_are_said_and_nothing_is_learned():
    finding = fit_coefficients(cases(12), prior=PRIOR, current=PRIOR)

    assert finding.coefficients is None
    assert finding.summary == (
        "there are 12 decisions on 4 images to learn from; at least 30 on 10 are needed",
    )


def test_a_calibration_in_use_stays_when_nothing_is_better():
    used = replace(PRIOR, calibration=Calibration(0.0001, 0.0))
    finding = fit_coefficients(cases(12), prior=PRIOR, current=used)

    assert finding.coefficients is None
