import pytest

from ris.errors import EndpointError
from ris.pretrained.endpoint.breaker import BREAKER_FAILURES, BREAKER_REST_S, Breaker


class Watch:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def watch():
    return Watch()


@pytest.fixture
def breaker(watch):
    broken = Breaker(monotonic=watch)
    for _ in range(BREAKER_FAILURES):
        broken.check()
        broken.note_failure("it is down")
    return broken


def test_no_call_passes_while_it_rests(breaker):
    with pytest.raises(EndpointError, match="^it is down; it is called again in 60 s$"):
        breaker.check()


def test_one_call_tries_after_the_rest_and_the_others_wait(breaker, watch):
    watch.now += BREAKER_REST_S

    breaker.check()
    with pytest.raises(EndpointError):
        breaker.check()


def test_a_success_lets_all_calls_pass(breaker, watch):
    watch.now += BREAKER_REST_S
    breaker.check()
    breaker.note_success()

    breaker.check()
    breaker.check()


def test_failures_that_are_not_in_a_row_stop_nothing(watch):
    breaker = Breaker(monotonic=watch)
    for _ in range(3 * BREAKER_FAILURES):
        breaker.check()
        breaker.note_failure("down")
        breaker.note_success()
