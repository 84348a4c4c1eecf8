"""Who does the work: actors on a Ray cluster, one set of networks each. `pip install .[ray]`."""

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
    """A pool of actors. What a lost one had in hand is done again by others.

    Args:
        make: makes a labeller, in the actor's process.
        count: of actors; those that the cluster has no room for get no work until it has.
        address: of the cluster, as `ray.init` takes it; None starts one on this machine.
        gpus: that each actor has for itself.

    Raises:
        SettingsError: Ray is not installed, or the cluster is not there.
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
            raise SettingsError(f"the Ray cluster at {address} is not there: {error}") from error
        self._ray: Any = ray
        self._actor: Any = self._ray.remote(_Actor).options(num_cpus=1, num_gpus=gpus)
        self.make, self.count = make, count

    def run(self, groups: Iterable[TaskGroup]) -> Iterator[GroupResult]:
        ray = self._ray
        waiting, losses, again = iter(groups), dict[TaskGroup, int](), list[TaskGroup]()
        numbers = itertools.count()
        actors: dict[int, Any] = {}
        starting: dict[Any, int] = {}  # those that the cluster has no room for yet, or that still load
        stillborn = 0
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
                    for group in _take_next(number, running, waiting, again, losses):
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
                        stillborn += 1
                        if stillborn == MAX_WORKER_LOSSES * self.count:
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
                    answer = ray.get(done)
                except ray.exceptions.RayActorError:
                    if actors.pop(number, None) is not None:  # the first to tell of this loss
                        start_actor()
                    losses[group] = losses.get(group, 0) + 1
                    if losses[group] < MAX_WORKER_LOSSES:
                        again.append(group)
                        continue
                    answer = make_killed_result(group)
                if isinstance(answer, BackendError):
                    raise answer
                yield answer
        finally:
            for actor in actors.values():
                ray.kill(actor)


def _get_first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


def _check_address(address: str | None) -> None:
    """Whether anybody listens there: Ray itself would try for minutes."""
    host, _, port = (address or "").removeprefix("ray://").rpartition(":")
    if not port.isdecimal():
        return
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except OSError as error:
        raise SettingsError(f"the Ray cluster at {address} is not there: {error}") from error


def _take_next(
    number: int,
    running: dict[Any, tuple[int, TaskGroup]],
    waiting: Iterator[TaskGroup],
    again: list[TaskGroup],
    losses: dict[TaskGroup, int],
) -> list[TaskGroup]:
    """What an actor is given now. What was lost before goes alone: so it shows which of it kills actors."""
    in_hand = [group for n, group in running.values() if n == number]
    if any(group in losses for group in in_hand):
        return []
    if again and not in_hand:
        return [again.pop()]
    return list(itertools.islice(waiting, MAX_QUEUED_PER_WORKER - len(in_hand)))


class _Actor:
    """A labeller in a process of the cluster; what it cannot do it says, and does not raise."""

    def __init__(self, make: Callable[[], Labeller]) -> None:
        try:
            self.labeller: Labeller | BackendError = make()
        except BackendError as error:
            self.labeller = error

    def wait_until_ready(self) -> None:
        """Answers when there is a process, and its networks are loaded."""

    def work(self, group: TaskGroup) -> GroupResult | BackendError:
        return self.labeller if isinstance(self.labeller, BackendError) else self.labeller.work(group)
