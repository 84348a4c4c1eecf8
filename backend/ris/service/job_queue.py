"""A thread that runs jobs by priority."""

import contextlib
import itertools
from collections.abc import Callable
from concurrent.futures import Future
from enum import IntEnum
from queue import Empty, PriorityQueue
from threading import Thread
from typing import Any, ParamSpec, TypeVar

from ris.errors import NotReady

P = ParamSpec("P")
T = TypeVar("T")
STOPPING_MESSAGE = "the server is stopping; ask again when it is back"


class Priority(IntEnum):
    """Which job runs next: the lowest value first, equal values in the order of their arrival."""

    LOADING = 0
    INTERACTIVE = 1  # a person waits at the screen
    BATCH = 2
    CLOSING = 3


class JobQueue:
    """A thread that runs one job after the other, by priority and then by arrival."""

    def __init__(self, name: str) -> None:
        self._queue: PriorityQueue[tuple[int, int, Future[Any] | None, Callable[[], Any]]] = PriorityQueue()
        self._numbers, self.is_closed = itertools.count(), False
        self._thread = Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Run the jobs, those submitted before included."""
        self._thread.start()

    def submit(
        self, priority: Priority, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> "Future[T]":
        """Queue a call and return the future of its result.

        Raises:
            NotReady: the server is stopping.
        """
        self.check_open()
        job: Future[T] = Future()
        self._queue.put((priority, next(self._numbers), job, lambda: work(*args, **kwargs)))
        return job

    def check_open(self) -> None:
        """Raise NotReady once the queue is closed."""
        if self.is_closed:
            raise NotReady(STOPPING_MESSAGE)

    def __len__(self) -> int:
        return self._queue.qsize()

    def _run(self) -> None:
        while True:
            _, _, job, work = self._queue.get()
            if job is None:
                return
            if job.set_running_or_notify_cancel():
                _run_job(job, work)

    def reject_jobs(self) -> None:
        """Accept no more jobs, and fail with NotReady those that have not begun."""
        self.is_closed = True
        while not self._queue.empty():
            with contextlib.suppress(Empty):
                _, _, job, _ = self._queue.get_nowait()
                if job is not None and job.set_running_or_notify_cancel():
                    job.set_exception(NotReady(STOPPING_MESSAGE))

    def close(self) -> None:
        """Finish the running job, and fail those that wait with NotReady."""
        self.reject_jobs()
        self._queue.put((Priority.CLOSING, next(self._numbers), None, lambda: None))
        if self._thread.is_alive():
            self._thread.join()


def _run_job(job: "Future[Any]", work: Callable[[], Any]) -> None:
    try:
        job.set_result(work())
    except BaseException as error:  # any error belongs to the caller of the job
        job.set_exception(error)
