from dataclasses import replace

import numpy as np
import pytest

from ris.learning.absence import compute_absence_errors, fit_absence
from ris.learning.learner import fit_coefficients
from ris.referring.absence import AbsenceModel
from tests.learning.worlds import PRIOR, cases


def make_cases(n, *, seed=0, absent=0.2, right=0.9):
    """Cases, a share without a referent: the grounder says rightly so in a share, the verifier by chance."""
    rng = np.random.default_rng(seed)
    found = []
    for one in cases(n, seed=seed, good=("eyes", "ears")):
        is_absent = rng.random() < absent
        signals = {
            "grounder": 1.0 if (rng.random() < right) == is_absent else -1.0,
            "verifier": float(rng.choice([-1, 0, 1])),
        }
        found.append(
            replace(one, absence=signals, has_referent=not is_absent, ious=one.ious * (not is_absent))
        )
    return found


def test_the_chance_is_calibrated_and_who_says_anything_is_not_heard():
    model = fit_absence(make_cases(3000))

    assert model.weights["grounder"] > 1
    assert model.weights["verifier"] < 0.3
    unseen = make_cases(2000, seed=4)
    chances = np.array([model.compute_chance(one.absence) for one in unseen])
    truths = np.array([not one.has_referent for one in unseen])
    for is_high in (chances > 0.5, chances < 0.5):
        assert truths[is_high].mean() == pytest.approx(chances[is_high].mean(), abs=0.05)
    assert compute_absence_errors(unseen, model).mean() < compute_absence_errors(unseen, None).mean()


def test_a_model_that_says_the_opposite_gets_no_weight():
    assert fit_absence(make_cases(300, right=0.1)).weights["grounder"] == 0


def test_too_few_answers_without_a_referent_fit_nothing():
    assert fit_absence(make_cases(40, absent=0.05)) is None
    assert fit_absence([replace(one, absence={}) for one in make_cases(300)]) is None


def test_ris_learn_keeps_a_chance_that_is_better_on_held_out_images():
    found = fit_coefficients(make_cases(400), prior=PRIOR, current=PRIOR)

    assert found.coefficients.absence.weights["grounder"] > 1
    assert found.figures["chance of no referent, Brier score, lower by"]["low"] > 0
    assert found.summary[-1].endswith(": kept")
    again = fit_coefficients(make_cases(400), prior=PRIOR, current=found.coefficients)
    assert again.coefficients is None
    assert again.summary[-1].endswith(": not kept")


def test_without_anything_said_of_it_the_summary_is_as_before():
    found = fit_coefficients(cases(90), prior=PRIOR, current=PRIOR)

    assert len(found.summary) == 2
    assert AbsenceModel().compute_chance({}) < 0.05
