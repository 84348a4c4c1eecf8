import pytest

from ris.errors import BackendError, ChoiceError, FrameError, InputError, RegionError, TaskError
from ris.labelstudio.failure import FAILURE_CAUSES, INTERNAL_CAUSE, Failure, find_advice


@pytest.mark.parametrize(
    ("error", "cause"),
    [(FrameError, "picture size"), (RegionError, "region"), (ChoiceError, "choice"), (TaskError, "task data"),
     (InputError, "answer"), (BackendError, "internal"), (ValueError, "internal")],
)  # fmt: skip
def test_a_failure_has_the_cause_of_the_nearest_kind_of_error(error, cause):
    assert Failure.from_error(error("what, and what to do")) == Failure(cause, "what, and what to do")


def test_every_cause_says_what_to_do():
    assert [find_advice(cause.name) for cause in FAILURE_CAUSES.values()] == [
        c.advice for c in FAILURE_CAUSES.values()
    ]
    assert len({cause.name for cause in FAILURE_CAUSES.values()}) == len(FAILURE_CAUSES)
    assert find_advice("something older") == INTERNAL_CAUSE.advice
