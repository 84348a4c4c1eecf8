from datetime import UTC, datetime

import numpy as np
import pytest

from ris.core import rle
from ris.core.decision import Decision
from ris.core.types import Annotation, Correction, MethodScores, Task, Verdict
from ris.learning.case import make_training_case
from ris.referring.ranking import Calibration, Coefficients, Fusion, RankingSettings, rank_proposals
from tests.builders.masks import make_scene, rectangle

SIZE = (20, 20)
WHOLE, PART, OTHER = (
    rectangle(SIZE, 0, 0, 10, 10), rectangle(SIZE, 0, 0, 4, 4), rectangle(SIZE, 12, 12, 18, 18),
)  # fmt: skip
PROPOSALS = tuple(rle.encode_rle(mask) for mask in (WHOLE, PART, OTHER))
SCORES = {"lgd": np.array([1, 1.1, 0.5], np.float32), "iterprime": np.array([0.2, 0.3, 0.1], np.float32)}


def make_decided_case(verdict, mask=None, *, expression="the mug next to the cup", digest="ab"):
    task = Task(1, "1.5", "a.png", expression)
    answer = Annotation(
        1, task, datetime(2026, 1, 5, tzinfo=UTC), None if mask is None else rle.encode_rle(mask)
    )
    return Decision(Correction(answer, verdict), (), digest, SIZE, "v1")


def test_a_case_says_which_proposals_were_meant():
    case = make_training_case(make_decided_case(Verdict.REDRAWN, WHOLE), PROPOSALS, SCORES, RankingSettings())

    assert (case.kind, case.image) == ("relation", "ab")
    assert case.ious.tolist() == pytest.approx([1, 0.16, 0])
    assert case.is_right.tolist() == [True, False, False]


def test_where_there_is_no_such_thing_nothing_was_right():
    case = make_training_case(make_decided_case(Verdict.NO_REFERENT), PROPOSALS, SCORES, RankingSettings())

    assert not case.is_right.any()


@pytest.mark.parametrize(
    ("decision", "proposals", "scores"),
    [
        (make_decided_case(Verdict.SKIPPED, WHOLE), PROPOSALS, SCORES),
        (make_decided_case(Verdict.ACCEPTED, WHOLE), (), {}),
        (make_decided_case(Verdict.ACCEPTED, np.ones((4, 4), np.bool_)), PROPOSALS, SCORES),
        (make_decided_case(Verdict.ACCEPTED, WHOLE), PROPOSALS, {"lgd": np.zeros(0, np.float32)}),
    ],
    ids=["skipped", "proposals not kept", "another size", "no method ran"],
)
def test_what_teaches_nothing_is_no_case(decision, proposals, scores):
    assert make_training_case(decision, proposals, scores, RankingSettings()) is None


@pytest.mark.parametrize("weights", [{}, {"lgd": 3.0, "iterprime": 0.0}])
def test_a_case_is_fused_as_the_annotators_alternatives_are(weights):
    settings = RankingSettings(temperatures={"lgd": 0.3}, by_kind={"relation": Fusion({"lgd": 0.7}, weights)})
    case = make_training_case(make_decided_case(Verdict.ACCEPTED, WHOLE), PROPOSALS, SCORES, settings)
    opinions = [MethodScores(name, scores) for name, scores in SCORES.items()]

    shown = rank_proposals(
        make_scene(WHOLE, PART, OTHER), opinions, settings.select_kind(case.kind), version="v"
    )

    fused = case.fuse(settings.coefficients)
    assert sorted(fused, reverse=True) == pytest.approx([s.score for s in shown])
    assert case.find_first(settings.coefficients)[0] == pytest.approx(shown[0].score)
    assert case.find_first(RankingSettings(calibration=Calibration(2, 1)).coefficients)[0] <= 1


LATE_SCORES = {"lgd": np.array([1, 1, 1], np.float32), "grounder": np.array([0, 0, 1], np.float32)}


def make_late_case():
    decision = make_decided_case(Verdict.REDRAWN, OTHER)
    return make_training_case(decision, PROPOSALS, LATE_SCORES, RankingSettings(), late=["grounder"])


def test_a_method_without_weight_has_made_no_late_proposals():
    case = make_late_case()

    assert case.late == ("grounder",)
    assert case.find_first(Coefficients(Fusion({"grounder": 0.1})))[1] == 1
    silent = case.fuse(Coefficients(Fusion({}, {"grounder": 0.0})))
    assert silent[2] == 0
    assert silent.sum() == pytest.approx(1)


def test_a_case_without_a_method_is_as_if_that_had_said_nothing():
    left = make_late_case().leave_out(["grounder"])
    without = make_training_case(
        make_decided_case(Verdict.REDRAWN, OTHER), PROPOSALS[:2], {"lgd": LATE_SCORES["lgd"][:2]},
        RankingSettings(),
    )  # fmt: skip

    assert (left.late, list(left.scores)) == ((), ["lgd"])
    assert left.ious.tolist() == without.ious.tolist() == [0, 0]
    assert left.discount.tolist() == without.discount.tolist()
    assert make_late_case().leave_out(["lgd", "grounder"]) is None
