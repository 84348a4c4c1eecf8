"""Who does the work: processes of this machine. What a lost one had in hand is done again."""

import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Protocol

from ris.batch.plan import TaskGroup
from ris.batch.work import GroupResult, Labeller
from ris.errors import BackendError

MAX_QUEUED_PER_WORKER = 2  # pieces of work for each worker: enough to be busy, and no more to hold in memory
MAX_WORKER_LOSSES = 3  # of one piece, before it is taken for what kills workers


class Engine(Protocol):
    """Does pieces of work, in any order."""

    def run(self, groups: Iterable[TaskGroup]) -> Iterator[GroupResult]:
        """What became of each, once. Only so many are taken on as workers have hands for.

        Raises:
            BackendError: the workers cannot start.
        """
        ...


class ProcessEngine:
    """Workers on this machine, each with networks of its own.

    Args:
        make: makes a labeller, in the worker's process.
        count: of workers.
    """

    def __init__(self, make: Callable[[], Labeller], count: int) -> None:
        self.make, self.count = make, count

    def run(self, groups: Iterable[TaskGroup]) -> Iterator[GroupResult]:
        waiting, losses = iter(groups), dict[TaskGroup, int]()
        again: list[TaskGroup] = []
        while True:
            lost: list[TaskGroup] = []
            # Spawned, not forked: a fork would carry half of this process's threads and locks along.
            with ProcessPoolExecutor(
                self.count,
                multiprocessing.get_context("spawn"),
                initializer=_start_worker,
                initargs=(self.make,),
            ) as pool:
                yield from self._run_one_by_one(pool, again, lost)
                if not lost:
                    yield from self._run_in_parallel(pool, waiting, lost)
            if not lost:
                return
            for group in lost:
                losses[group] = losses.get(group, 0) + 1
                if losses[group] < MAX_WORKER_LOSSES:
                    again.append(group)
                else:
                    yield make_killed_result(group)

    def _run_one_by_one(
        self, pool: ProcessPoolExecutor, again: list[TaskGroup], lost: list[TaskGroup]
    ) -> Iterator[GroupResult]:
        """What was in a lost worker's hands, one at a time: so it shows which of it kills workers."""
        while again and not lost:
            group = again.pop()
            try:
                yield pool.submit(_run_group, group).result()
            except BrokenProcessPool:
                lost.append(group)

    def _run_in_parallel(
        self, pool: ProcessPoolExecutor, waiting: Iterator[TaskGroup], lost: list[TaskGroup]
    ) -> Iterator[GroupResult]:
        """Work until everything is done or a worker is gone; then what was in hand is in `lost`."""
        running: dict[Future[GroupResult], TaskGroup] = {}
        while True:
            while (
                len(running) < MAX_QUEUED_PER_WORKER * self.count
                and not lost
                and (group := next(waiting, None))
            ):
                try:
                    running[pool.submit(_run_group, group)] = group
                except BrokenProcessPool:
                    lost.append(group)
            if not running:
                return
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                group = running.pop(future)
                try:
                    yield future.result()
                except BrokenProcessPool:
                    lost.append(group)


def make_killed_result(group: TaskGroup) -> GroupResult:
    """What is said of a piece of work that workers do not survive."""
    reason = f"its image killed {MAX_WORKER_LOSSES} workers, perhaps for memory"
    return GroupResult(group, failures=(reason,) * len(group.tasks))


_labeller: Labeller | BackendError | None = None


def _start_worker(make: Callable[[], Labeller]) -> None:
    global _labeller  # it is how a process of a pool keeps something
    try:
        _labeller = make()
    except BackendError as error:
        _labeller = error  # raised in here it would only break the pool, again and again


def _run_group(group: TaskGroup) -> GroupResult:
    if isinstance(_labeller, BackendError):
        raise _labeller
    assert _labeller is not None
    return _labeller.work(group)
