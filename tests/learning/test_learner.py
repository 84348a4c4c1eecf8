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


def make_late_cases(n, *, right_share, seed=0):
    """Cases with a late proposal that a method is sure of; it is right in a share of them.

    Where it is right, no other proposal is, and the other method likes it. Where it is wrong, the other
    method likes it in a third of the cases: a mask more is a mistake more.
    """
    rng = np.random.default_rng(seed)
    found = []
    for i, one in enumerate(cases(n, seed=seed, good=("eyes", "ears"))):
        is_right = rng.random() < right_share
        likes = 9.0 if is_right or rng.random() < 1 / 3 else 0.0
        ious = np.append(one.ious * (0 if is_right else 1), 0.9 * is_right)
        scores = {
            "eyes": np.append(one.scores["eyes"], np.float32(likes)),
            "grounder": np.append(0 * one.scores["ears"], np.float32(3)),
        }
        found.append(
            replace(
                one, image=str(i // 3), scores=scores, discount=np.ones(len(ious)), ious=ious,
                late=("grounder",),
            )
        )  # fmt: skip
    return found


TRUSTING = Coefficients(Fusion({}, {"eyes": 1.0, "grounder": 1.0}))


def test_a_model_that_is_always_wrong_makes_no_more_late_proposals_and_costs_nothing():
    found = fit_coefficients(
        make_late_cases(200, right_share=0), prior=TRUSTING, current=TRUSTING
    ).coefficients

    assert found.fusion.weights["grounder"] == 0
    unseen = make_late_cases(300, right_share=0, seed=5)
    alone = [one.leave_out(["grounder"]) for one in unseen]
    assert mean_iou(unseen, found) >= mean_iou(alone, TRUSTING) - 0.005


def test_a_model_that_is_mostly_right_keeps_its_late_proposals():
    found = fit_coefficients(make_late_cases(200, right_share=0.8), prior=TRUSTING, current=TRUSTING)
    used = found.coefficients or TRUSTING

    assert used.fusion.weights["grounder"] > 0
    unseen = make_late_cases(300, right_share=0.8, seed=5)
    assert mean_iou(unseen, used) > mean_iou([one.leave_out(["grounder"]) for one in unseen], used) + 0.3


def test_a_verifier_that_lies_is_not_asked_any_more():
    """It is asked where the others are unsure, and chooses a wrong mask."""
    rng = np.random.default_rng(0)
    lied = []
    for one in cases(240, good=("eyes", "ears"), clear=2.0):
        wrong = rng.choice(np.flatnonzero(~one.is_right))
        vote = (np.arange(len(one.ious)) == wrong).astype(np.float32)
        lied.append(replace(one, scores={**one.scores, "verifier": vote}, absence={"verifier": -1.0}))
    prior = Coefficients(Fusion({"verifier": 0.1}, {}))

    found = fit_coefficients(lied, prior=prior, current=prior).coefficients

    assert found.fusion.weights["verifier"] == 0
    assert all(one.weights["verifier"] == 0 for one in found.by_kind.values())
