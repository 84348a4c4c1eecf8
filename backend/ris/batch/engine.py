"""Engines run workers, which write shards. This one uses processes of this machine."""

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ris.batch.guard import DEFAULT_LIMIT_S, GuardClosed, GuardedProcess
from ris.batch.manifest import read_blocks
from ris.batch.plan import Block, TaskGroup
from ris.batch.run_folder import RunFolder
from ris.batch.shard import write_shard
from ris.batch.work import GroupFetcher, GroupResult, Labeller, make_failed_result
from ris.core.types import Image

MAX_FETCHED_AHEAD = 4  # images per worker: the networks never wait for one, and little is in memory

FetcherMaker = Callable[[], GroupFetcher]
LabellerMaker = Callable[[], Labeller]
LabellerProcess = GuardedProcess[tuple[TaskGroup, Image], GroupResult]


@dataclass(frozen=True, slots=True)
class FinishedShard:
    """A complete shard.

    Attributes:
        path: of its file.
        worked_s: how long its networks worked, in seconds.
        waited_s: how long they waited for images, in seconds.
    """

    path: Path
    worked_s: float = 0.0
    waited_s: float = 0.0


class Engine(Protocol):
    """Processes the blocks of a manifest in any order."""

    def run(self, folder: RunFolder) -> Iterator[FinishedShard]:
        """Process the blocks of a run's manifest and yield the shard of each, which is in its `shards`.

        Blocks are read as workers become free.

        Raises:
            BackendError: the workers cannot start, or cannot write.
        """
        ...


def make_fetcher_process(make: FetcherMaker, limit_s: float) -> GuardedProcess[TaskGroup, Image | str]:
    """Make the process that fetches and decodes images."""
    return GuardedProcess(make, limit_s=limit_s, task="fetching and decoding its image")


def make_labeller_process(make: LabellerMaker, limit_s: float) -> LabellerProcess:
    """Make the process that runs the networks."""
    return GuardedProcess(make, limit_s=limit_s, task="the networks, on its image,")


def label_group(labeller: LabellerProcess, group: TaskGroup, image: Image | str) -> GroupResult:
    """Run the networks on a group; a sentence in place of an image, or of a result, fails its tasks."""
    found = image if isinstance(image, str) else labeller.call((group, image))
    return make_failed_result(group, found) if isinstance(found, str) else found


class ProcessEngine:
    """Workers on this machine. Each has a process with networks, and one that fetches images for it.

    Args:
        make_fetcher: makes the function that fetches images.
        make_labeller: makes the function that runs the networks.
        count: number of workers.
        limit_s: the longest time for fetching an image, and for the networks on it, in seconds.
    """

    def __init__(
        self,
        make_fetcher: FetcherMaker,
        make_labeller: LabellerMaker,
        count: int,
        *,
        limit_s: float = DEFAULT_LIMIT_S,
    ) -> None:
        self.make_fetcher, self.make_labeller, self.count = make_fetcher, make_labeller, count
        self.limit_s = limit_s

    def run(self, folder: RunFolder) -> Iterator[FinishedShard]:
        """Process the blocks; see `Engine.run`."""
        source = _SharedBlocks(read_blocks(folder.manifest))
        finished: queue.Queue[FinishedShard | BaseException | None] = queue.Queue()
        lanes = [_Lane(self, source, folder.shards, finished) for _ in range(self.count)]
        n_running = len(lanes)
        try:
            while n_running:
                one = finished.get()
                if isinstance(one, BaseException):
                    raise one
                if one is None:
                    n_running -= 1
                else:
                    yield one
        finally:
            source.close()
            for lane in lanes:
                lane.close()


class _SharedBlocks:
    """Gives each block to one of several threads."""

    def __init__(self, blocks: Iterable[Block]) -> None:
        self._blocks, self._lock, self._is_closed = iter(blocks), threading.Lock(), False

    def take(self) -> Block | None:
        with self._lock:
            return None if self._is_closed else next(self._blocks, None)

    def close(self) -> None:
        with self._lock:
            self._is_closed = True


class _Lane:
    """One worker: two threads, each with a process, and a short queue of images between them."""

    def __init__(
        self,
        engine: ProcessEngine,
        source: _SharedBlocks,
        folder: Path,
        finished: "queue.Queue[FinishedShard | BaseException | None]",
    ) -> None:
        self._folder, self._source, self._finished = folder, source, finished
        self._fetcher = make_fetcher_process(engine.make_fetcher, engine.limit_s)
        self._labeller = make_labeller_process(engine.make_labeller, engine.limit_s)
        self._fetched: queue.Queue[tuple[TaskGroup, Image | str] | Block | None] = queue.Queue(
            MAX_FETCHED_AHEAD
        )
        self._is_closed = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(work,), daemon=True)
            for work in (self._fetch_all, self._label_all)
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Kill the processes and end the threads; what is in work is lost."""
        self._is_closed.set()
        for thread in self._threads:
            while thread.is_alive():
                self._fetcher.close()
                self._labeller.close()
                thread.join(0.05)

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            if not self._is_closed.is_set():
                self._finished.put(error)

    def _fetch_all(self) -> None:
        while (block := self._source.take()) is not None:
            for group in block.groups:
                self._put((group, self._fetcher.call(group)))
            self._put(block)
        self._put(None)

    def _put(self, one: "tuple[TaskGroup, Image | str] | Block | None") -> None:
        while not self._is_closed.is_set():
            try:
                self._fetched.put(one, timeout=0.2)
                return
            except queue.Full:
                continue
        raise GuardClosed

    def _take(self) -> "tuple[TaskGroup, Image | str] | Block | None":
        while not self._is_closed.is_set():
            try:
                return self._fetched.get(timeout=0.2)
            except queue.Empty:
                continue
        raise GuardClosed

    def _label_all(self) -> None:
        results: list[GroupResult] = []
        told_s = 0.0, 0.0
        while (one := self._take()) is not None:
            if not isinstance(one, Block):
                results.append(label_group(self._labeller, *one))
                continue
            path = write_shard(self._folder, one.name, one.version, results)
            now_s = self._labeller.worked_s, self._labeller.waited_s
            self._finished.put(FinishedShard(path, now_s[0] - told_s[0], now_s[1] - told_s[1]))
            results, told_s = [], now_s
        self._finished.put(None)
