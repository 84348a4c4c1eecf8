"""Who does the work: processes of this machine. What a lost one had in hand is done again."""

import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Protocol

from ris.batch.plan import Group
from ris.batch.work import Found, Labeller
from ris.errors import BackendError

AHEAD = 2  # pieces of work for each worker: enough to be busy, and no more to hold in memory
MOST_LOSSES = 3  # of one piece, before it is taken for what kills workers


class Engine(Protocol):
    """Does pieces of work, in any order."""

    def run(self, groups: Iterable[Group]) -> Iterator[Found]:
        """What became of each, once. Only so many are taken on as workers have hands for.

        Raises:
            BackendError: the workers cannot start.
        """
        ...


class Processes:
    """Workers on this machine, each with networks of its own.

    Args:
        make: makes a labeller, in the worker's process.
        count: of workers.
    """

    def __init__(self, make: Callable[[], Labeller], count: int) -> None:
        self.make, self.count = make, count

    def run(self, groups: Iterable[Group]) -> Iterator[Found]:
        waiting, losses = iter(groups), dict[Group, int]()
        again: list[Group] = []
        while True:
            lost: list[Group] = []
            # Spawned, not forked: a fork would carry half of this process's threads and locks along.
            with ProcessPoolExecutor(
                self.count, multiprocessing.get_context("spawn"), initializer=_start, initargs=(self.make,)
            ) as pool:
                yield from self._alone(pool, again, lost)
                if not lost:
                    yield from self._together(pool, waiting, lost)
            if not lost:
                return
            for group in lost:
                losses[group] = losses.get(group, 0) + 1
                if losses[group] < MOST_LOSSES:
                    again.append(group)
                else:
                    yield killed(group)

    def _alone(self, pool: ProcessPoolExecutor, again: list[Group], lost: list[Group]) -> Iterator[Found]:
        """What was in a lost worker's hands, one at a time: so it shows which of it kills workers."""
        while again and not lost:
            group = again.pop()
            try:
                yield pool.submit(_work, group).result()
            except BrokenProcessPool:
                lost.append(group)

    def _together(
        self, pool: ProcessPoolExecutor, waiting: Iterator[Group], lost: list[Group]
    ) -> Iterator[Found]:
        """Work until everything is done or a worker is gone; then what was in hand is in `lost`."""
        running: dict[Future[Found], Group] = {}
        while True:
            while len(running) < AHEAD * self.count and not lost and (group := next(waiting, None)):
                try:
                    running[pool.submit(_work, group)] = group
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


def killed(group: Group) -> Found:
    """What is said of a piece of work that workers do not survive."""
    reason = f"its image killed {MOST_LOSSES} workers, perhaps for memory"
    return Found(group, failures=(reason,) * len(group.tasks))


_labeller: Labeller | BackendError | None = None


def _start(make: Callable[[], Labeller]) -> None:
    global _labeller  # it is how a process of a pool keeps something
    try:
        _labeller = make()
    except BackendError as error:
        _labeller = error  # raised in here it would only break the pool, again and again


def _work(group: Group) -> Found:
    if isinstance(_labeller, BackendError):
        raise _labeller
    assert _labeller is not None
    return _labeller.work(group)
