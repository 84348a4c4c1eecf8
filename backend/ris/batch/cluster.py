"""Engine of workers on a Ray cluster: actors, each with its own networks. Needs the extra `ray`."""

import itertools
import logging
import socket
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ris.batch.engine import MAX_QUEUED_PER_WORKER, MAX_WORKER_LOSSES, make_killed_result
from ris.batch.plan import TaskGroup
from ris.batch.work import GroupResult, Labeller
from ris.core.extras import require_extra
from ris.errors import BackendError, SettingsError


class RayEngine:
    """A pool of actors. The groups of a lost actor are given to other actors.

    Args:
        make: makes a labeller in the actor's process.
        count: number of actors; those that do not fit into the cluster wait until there is room.
        address: address of the cluster, as of `ray.init`; None starts Ray on this machine.
        gpus: GPUs of each actor.

    Raises:
        SettingsError: Ray is not installed, or the cluster does not answer.
    """

    def __init__(
        self, make: Callable[[], Labeller], count: int, *, address: str | None, gpus: float = 0
    ) -> None:
        require_extra("ray", "ray", "--engine ray")
        import ray

        _check_address(address)
        try:
            ray.init(
                address=address, ignore_reinit_error=True, log_to_driver=False, logging_level=logging.ERROR
            )
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise SettingsError(
                f"the Ray cluster at {address} does not answer: {error}; check --address"
            ) from error
        self._ray: Any = ray
        self._actor: Any = self._ray.remote(_Actor).options(num_cpus=1, num_gpus=gpus)
        self.make, self.count = make, count

    def run(self, groups: Iterable[TaskGroup]) -> Iterator[GroupResult]:
        """Process the groups; see `Engine.run`.

        Raises:
            SettingsError: the actors die as they start.
            BackendError: an actor cannot make its labeller.
        """
        ray = self._ray
        waiting, losses, retries = iter(groups), dict[TaskGroup, int](), list[TaskGroup]()
        numbers = itertools.count()
        actors: dict[int, Any] = {}
        starting: dict[Any, int] = {}  # waiting for room in the cluster, or loading
        failed_starts = 0
        running: dict[Any, tuple[int, TaskGroup]] = {}

        def start_actor() -> None:
            number = next(numbers)
            actors[number] = self._actor.remote(self.make)
            starting[actors[number].wait_until_ready.remote()] = number

        for _ in range(self.count):
            start_actor()
        try:
            while True:
                for number in actors.keys() - starting.values():
                    for group in _take_next(number, running, waiting, retries, losses):
                        running[actors[number].work.remote(group)] = number, group
                if not running and len(starting) < len(actors):
                    return
                (done, *_), _ = ray.wait([*running, *starting])
                if done in starting:
                    number = starting.pop(done)
                    try:
                        ray.get(done)
                    except ray.exceptions.RayActorError as error:
                        del actors[number]
                        failed_starts += 1
                        if failed_starts == MAX_WORKER_LOSSES * self.count:
                            raise SettingsError(
                                f"the cluster's workers die as they start: {_get_first_line(error)}; "
                                "every node needs this package and, in the same RIS_MODELS_FOLDER, the "
                                "preset's networks "
                                "(the settings come with the command)"
                            ) from error
                        start_actor()
                    continue
                number, group = running.pop(done)
                try:
                    result = ray.get(done)
                except ray.exceptions.RayActorError:
                    if actors.pop(number, None) is not None:  # the first group that reports this loss
                        start_actor()
                    losses[group] = losses.get(group, 0) + 1
                    if losses[group] < MAX_WORKER_LOSSES:
                        retries.append(group)
                        continue
                    result = make_killed_result(group)
                if isinstance(result, BackendError):
                    raise result
                yield result
        finally:
            for actor in actors.values():
                ray.kill(actor)


def _get_first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


def _check_address(address: str | None) -> None:
    """Check that the address accepts connections, because Ray itself tries for minutes."""
    host, _, port = (address or "").removeprefix("ray://").rpartition(":")
    if not port.isdecimal():
        return
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except OSError as error:
        raise SettingsError(
            f"the Ray cluster at {address} does not answer: {error}; check --address"
        ) from error


def _take_next(
    number: int,
    running: dict[Any, tuple[int, TaskGroup]],
    waiting: Iterator[TaskGroup],
    retries: list[TaskGroup],
    losses: dict[TaskGroup, int],
) -> list[TaskGroup]:
    """Choose the next groups of an actor. A lost group is run alone, to find the one that kills actors."""
    assigned = [group for n, group in running.values() if n == number]
    if any(group in losses for group in assigned):
        return []
    if retries and not assigned:
        return [retries.pop()]
    return list(itertools.islice(waiting, MAX_QUEUED_PER_WORKER - len(assigned)))


class _Actor:
    """A labeller in a process of the cluster. It returns a BackendError instead of raising it."""

    def __init__(self, make: Callable[[], Labeller]) -> None:
        try:
            self.labeller: Labeller | BackendError = make()
        except BackendError as error:
            self.labeller = error

    def wait_until_ready(self) -> None:
        """Return when the process runs and its networks are loaded."""

    def work(self, group: TaskGroup) -> GroupResult | BackendError:
        """Process a group, or return why the labeller could not be made."""
        return self.labeller if isinstance(self.labeller, BackendError) else self.labeller.work(group)
