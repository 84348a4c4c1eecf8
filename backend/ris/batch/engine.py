"""Engines run workers. This one uses processes of this machine; lost groups are run again."""

import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Protocol

from ris.batch.plan import TaskGroup
from ris.batch.work import GroupResult, Labeller
from ris.errors import BackendError

MAX_QUEUED_PER_WORKER = 2  # groups per worker: keeps it busy with little in memory
MAX_WORKER_LOSSES = 3  # of one group, after which it is reported as failed


class Engine(Protocol):
    """Processes groups of tasks in any order."""

    def run(self, groups: Iterable[TaskGroup]) -> Iterator[GroupResult]:
        """Process the groups and yield the result of each once; groups are read as workers become free.

        Raises:
            BackendError: the workers cannot start.
        """
        ...


class ProcessEngine:
    """Workers on this machine, each with its own networks.

    Args:
        make: makes a labeller in the worker's process.
        count: number of workers.
    """

    def __init__(self, make: Callable[[], Labeller], count: int) -> None:
        self.make, self.count = make, count

    def run(self, groups: Iterable[TaskGroup]) -> Iterator[GroupResult]:
        """Process the groups; see `Engine.run`."""
        waiting, losses = iter(groups), dict[TaskGroup, int]()
        retries: list[TaskGroup] = []
        while True:
            lost: list[TaskGroup] = []
            # Spawned, not forked: a fork copies locks that threads of this process hold.
            with ProcessPoolExecutor(
                self.count,
                multiprocessing.get_context("spawn"),
                initializer=_start_worker,
                initargs=(self.make,),
            ) as pool:
                yield from self._run_one_by_one(pool, retries, lost)
                if not lost:
                    yield from self._run_in_parallel(pool, waiting, lost)
            if not lost:
                return
            for group in lost:
                losses[group] = losses.get(group, 0) + 1
                if losses[group] < MAX_WORKER_LOSSES:
                    retries.append(group)
                else:
                    yield make_killed_result(group)

    def _run_one_by_one(
        self, pool: ProcessPoolExecutor, retries: list[TaskGroup], lost: list[TaskGroup]
    ) -> Iterator[GroupResult]:
        """Run the groups of a lost worker one at a time, to find the one that kills workers."""
        while retries and not lost:
            group = retries.pop()
            try:
                yield pool.submit(_run_group, group).result()
            except BrokenProcessPool:
                lost.append(group)

    def _run_in_parallel(
        self, pool: ProcessPoolExecutor, waiting: Iterator[TaskGroup], lost: list[TaskGroup]
    ) -> Iterator[GroupResult]:
        """Run groups until all are done or a worker is lost; then `lost` has the unfinished ones."""
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
    """Make the result of a group that killed `MAX_WORKER_LOSSES` workers."""
    reason = f"{MAX_WORKER_LOSSES} workers died while they processed its image, perhaps for lack of memory"
    return GroupResult(group, failures=(reason,) * len(group.tasks))


_labeller: Labeller | BackendError | None = None


def _start_worker(make: Callable[[], Labeller]) -> None:
    global _labeller  # a process of a pool can keep an object only here
    try:
        _labeller = make()
    except BackendError as error:
        _labeller = error  # an error in an initializer would only break the pool


def _run_group(group: TaskGroup) -> GroupResult:
    if isinstance(_labeller, BackendError):
        raise _labeller
    assert _labeller is not None
    return _labeller.work(group)
