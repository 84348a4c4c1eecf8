"""A process that works on one item at a time, under a time limit.

An item can kill the process that works on it, hang in a library, or hit an error of this program. Only its
own result may suffer: the process is killed or started again, and the item is told.
"""

import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, TypeVar

from ris.errors import BackendError, SettingsError
from ris.redaction.messages import shorten_message

log = logging.getLogger(__name__)

MAX_WORKER_LOSSES = 3  # of one item, after which it is reported as failed
DEFAULT_LIMIT_S = 600.0
_STARTING_ADVICE = (
    "see that every node has this package and, in the same RIS_MODELS_FOLDER, the preset's networks (the "
    "settings come with the command)"
)

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class GuardedProcess(Generic[Item, Answer]):
    """One process of this machine. It starts with the first item.

    Args:
        make: makes the function from an item to its answer; it is sent to the process and called there.
        limit_s: the longest time for one item, in seconds.
        task: what the process does, for messages, e.g. "the networks".

    Attributes:
        worked_s: the time in which it worked on items, in seconds.
        waited_s: the time between an item's end and the start of the next one, in seconds.
    """

    def __init__(self, make: Callable[[], Callable[[Item], Answer]], *, limit_s: float, task: str) -> None:
        self._make, self._limit_s, self._task = make, limit_s, task
        self._process: Any = None
        self._connection: Any = None
        self._is_closed = threading.Event()
        self.worked_s = self.waited_s = 0.0

    def call(self, item: Item) -> Answer | str:
        """Work on an item; an item whose process died is tried again.

        Returns:
            The answer, or the sentence why there is none.

        Raises:
            BackendError: the function cannot be made.
            SettingsError: the process dies as it starts.
            GuardClosed: `close` was called.
        """
        for _ in range(MAX_WORKER_LOSSES):
            if self._process is None:
                self._start()
            try:
                self._connection.send(item)
                if not wait([self._connection, self._process.sentinel], self._limit_s):
                    self._kill()
                    return (
                        f"{self._task} did not finish within {self._limit_s:g} s; correct what hangs, or "
                        "raise --time-limit"
                    )
                answer, worked_s, waited_s = self._connection.recv()
            except (EOFError, OSError):
                self._kill()
                continue
            self.worked_s += worked_s
            self.waited_s += waited_s
            return answer  # type: ignore[no-any-return]
        return make_loss_sentence()

    def close(self) -> None:
        """Kill the process for good; a call in another thread raises GuardClosed."""
        self._is_closed.set()
        if (process := self._process) is not None:
            process.kill()

    def _kill(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.join()
            self._connection.close()

    def _start(self) -> None:
        # Spawned, not forked: a fork copies locks that threads of this process hold.
        context = multiprocessing.get_context("spawn")
        for _ in range(MAX_WORKER_LOSSES):
            if self._is_closed.is_set():
                raise GuardClosed
            self._connection, other = context.Pipe()
            self._process = context.Process(target=_serve, args=(self._make, other), daemon=True)
            self._process.start()
            other.close()
            try:
                error = self._connection.recv()
            except (EOFError, OSError):
                self._process.join()
                code = self._process.exitcode
                self._kill()
                continue
            if error is not None:
                self._kill()
                raise error
            return
        raise SettingsError(
            f"the workers die as they start, with exit status {code}, perhaps for lack of memory: start "
            f"fewer with --workers, and {_STARTING_ADVICE}"
        )


class GuardClosed(Exception):
    """The process was closed while a call waited for it."""


def make_loss_sentence() -> str:
    """Make the sentence for an item that killed `MAX_WORKER_LOSSES` processes."""
    return f"{MAX_WORKER_LOSSES} workers died while they processed its image, perhaps for lack of memory"


def _serve(make: Callable[[], Callable[[Any], Any]], connection: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes; the parent ends this one
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        work = make()
    except BackendError as error:
        connection.send(error)
        return
    except Exception as error:
        log.exception("a worker cannot start")
        connection.send(
            SettingsError(f"a worker cannot start: {shorten_message(repr(error))}; {_STARTING_ADVICE}")
        )
        return
    connection.send(None)
    ended = 0.0
    while True:
        try:
            item = connection.recv()
        except EOFError:
            return
        started = time.perf_counter()
        waited_s = started - ended if ended else 0.0
        answer = _work(work, item)
        ended = time.perf_counter()
        connection.send((answer, ended - started, waited_s))


def _work(work: Callable[[Any], Any], item: Any) -> Any:
    try:
        return work(item)
    except Exception as error:
        log.exception("an error of this program")
        return f"an error of this program, please report it: {shorten_message(repr(error))}"


def _end_with_parent() -> None:
    """End this process when its parent is gone: a killed parent cannot end it."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
