import pytest

from ris.core import rle
from ris.core.proposals import LateProposal
from ris.core.types import Absence, MethodScores, Suggestion
from ris.evaluation.tinyworld.vlm import VlmOutcome
from ris.evaluation.tinyworld.vlm_figures import VLM_TABLES, VlmRun, compute_vlm_figures
from ris.referring.pipeline import ReferResult
from tests.builders.masks import rectangle

SIZE = (20, 20)
LEFT, MIDDLE, RIGHT = (rle.encode_rle(rectangle(SIZE, x, 0, x + 6, 20)) for x in (0, 7, 14))


def outcome(scene, referent, *shown, late=(), chance=0.0, n_questions=1):
    suggestions = tuple(
        Suggestion(rank, 0.5, mask, (0, 0, 1, 1), {}, "v", absence=Absence(chance))
        for rank, mask in enumerate(shown)
    )
    result = ReferResult(
        suggestions, (MethodScores("lgd"),), "v", tuple(LateProposal(mask, "grounder") for mask in late)
    )
    early = tuple(mask for mask in (LEFT, MIDDLE, RIGHT) if mask not in late)
    return VlmOutcome(scene, "x", referent, result, (*early, *late), n_questions)


BEFORE = [
    outcome(0, LEFT, LEFT, RIGHT, n_questions=3),
    outcome(1, LEFT, RIGHT, LEFT, late=(LEFT,)),
    outcome(2, LEFT, RIGHT, MIDDLE, chance=0.6),
    outcome(3, None, RIGHT, chance=0.9),
    outcome(4, None, RIGHT, chance=0.1),
]
LEARNED = [outcome(0, LEFT, LEFT), outcome(1, LEFT, LEFT), BEFORE[2]]
ALONE = VlmRun(BEFORE, BEFORE, has_model=False)


def test_the_figures_are_those_that_were_counted_by_hand():
    found = compute_vlm_figures(VlmRun(BEFORE, [*LEARNED, *BEFORE[3:]], [[True], [True, False]]), ALONE)

    means = {name: one.mean for name, one in found.items()}
    assert means == {
        "top 1": pytest.approx(1 / 3), "top 3": pytest.approx(2 / 3),
        "top 1, learned": pytest.approx(2 / 3), "top 3, learned": pytest.approx(2 / 3),
        "top 1, learned, gain": pytest.approx(1 / 3), "questions": 1.4,
        "missed by the proposer": pytest.approx(1 / 3), "recovered": 1,
        "recovered, proposals taken away": pytest.approx(2 / 3),
        "precision": 0.5, "recall": 0.5, "precision, learned": 0.5, "recall, learned": 0.5,
    }  # fmt: skip
    assert set(found) == {column for columns in VLM_TABLES.values() for column in columns}


def test_without_a_model_only_the_ranking_has_figures():
    assert set(compute_vlm_figures(ALONE, ALONE)) == {"top 1", "top 3", "top 1, learned", "top 3, learned"}
