import pytest
from hypothesis import given
from hypothesis import strategies as st

from ris.core.types import Absence, MethodScores
from ris.referring.absence import AbsenceModel, estimate_absence, find_absence_signals

SIGNAL = st.sampled_from([-1.0, 0.0, 1.0])


def say(grounder=None, verifier=None):
    return [
        MethodScores("lgd"), MethodScores("grounder", absence=grounder),
        MethodScores("verifier", skipped_reason="x", absence=verifier),
    ]  # fmt: skip


@given(SIGNAL, SIGNAL)
def test_who_says_that_there_is_none_raises_the_chance(grounder, verifier):
    model = AbsenceModel()
    chance = model.compute_chance({"grounder": grounder, "verifier": verifier})

    assert 0 < chance < 1
    assert chance <= model.compute_chance({"grounder": grounder, "verifier": 1.0})
    assert chance >= model.compute_chance({"grounder": -1.0, "verifier": verifier})


@pytest.mark.parametrize(
    ("grounder", "verifier", "is_probable"),
    [(1, 1, True), (1, None, False), (1, 0, False), (-1, 1, False), (1, -1, False), (None, 1, True)],
)
def test_before_learning_it_takes_the_verifier_and_no_voice_against(grounder, verifier, is_probable):
    assert estimate_absence(say(grounder, verifier), None, None).is_probable is is_probable


def test_without_a_method_that_says_something_nothing_is_known():
    assert find_absence_signals(say()) == {}
    assert estimate_absence(say(), None, 0.0) is None


def test_the_answer_is_chosen_in_advance_from_the_chance_that_a_team_sets():
    model = AbsenceModel(0.0, {"grounder": 0.0})

    assert estimate_absence(say(1), model, None) == Absence(0.5)
    assert estimate_absence(say(1), model, 0.5) == Absence(0.5, is_prechosen=True)
    assert estimate_absence(say(1), model, 0.51) == Absence(0.5)
