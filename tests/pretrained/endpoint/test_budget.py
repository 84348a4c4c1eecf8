import pytest

from ris.errors import EndpointError
from ris.pretrained.endpoint.budget import CallBudget


class Watch:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def watch():
    return Watch()


def test_a_task_has_its_own_calls(watch):
    budget = CallBudget(2, 100, monotonic=watch)
    for task in ("a", "a", "b"):
        budget.take(task)

    with pytest.raises(EndpointError, match="called 2 times for this expression.*RIS_VLM_MAX_CALLS"):
        budget.take("a")


def test_an_hour_has_its_calls_and_the_next_one_is_told(watch):
    budget = CallBudget(9, 2, monotonic=watch)
    budget.take("a")
    watch.now += 600
    budget.take("b")

    with pytest.raises(EndpointError, match="RIS_VLM_MAX_CALLS_PER_HOUR allows; .* in 3000 s"):
        budget.take("c")
    watch.now += 3000
    budget.take("c")


def test_a_refused_call_is_not_counted(watch):
    budget = CallBudget(1, 2, monotonic=watch)
    budget.take("a")
    with pytest.raises(EndpointError):
        budget.take("a")

    budget.take("b")
