import pytest

from ris.errors import NotReady
from ris.service.job_queue import JobQueue, Priority


def test_jobs_run_by_priority_and_then_in_the_order_of_their_arrival():
    order, queue = [], JobQueue("test")
    jobs = [
        queue.submit(priority, order.append, name)
        for priority, name in (
            (Priority.BATCH, "batch 1"), (Priority.BATCH, "batch 2"), (Priority.INTERACTIVE, "click"),
            (Priority.LOADING, "load"),
        )
    ]  # fmt: skip

    queue.start()
    for job in jobs:
        job.result()
    queue.close()

    assert order == ["load", "click", "batch 1", "batch 2"]


def test_an_error_belongs_to_its_job_and_the_next_job_runs():
    queue = JobQueue("test")
    queue.start()

    failed, done = queue.submit(Priority.BATCH, int, "x"), queue.submit(Priority.BATCH, int, "7")

    assert isinstance(failed.exception(), ValueError)
    assert done.result() == 7
    queue.close()


def test_a_closed_queue_fails_waiting_jobs_and_accepts_no_more():
    queue = JobQueue("test")
    waiting = queue.submit(Priority.BATCH, int, "7")

    queue.close()

    assert isinstance(waiting.exception(), NotReady)
    with pytest.raises(NotReady, match="the server is stopping"):
        queue.submit(Priority.BATCH, int, "7")
