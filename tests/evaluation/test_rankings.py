import numpy as np
import pytest

from ris.core.types import MethodScores
from ris.evaluation.rankings import has_preference


@pytest.mark.parametrize(
    ("scores", "expected"), [([0.2, 0.3], True), ([0.2, 0.2], False), ([0.2], True), ([], False)]
)
def test_a_method_has_a_say_where_it_prefers_a_proposal_or_there_is_only_one(scores, expected):
    assert has_preference(MethodScores("lgd", np.array(scores, np.float32))) is expected


def test_a_method_that_could_not_run_has_no_say():
    assert not has_preference(MethodScores("lgd", skipped_reason="the expression cannot be parsed"))
