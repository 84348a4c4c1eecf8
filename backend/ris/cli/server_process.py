"""Servers as child processes: started, waited for, and stopped with all that they started."""

import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from ris.errors import BackendError

_MAX_LOG_LINES = 6


class ServerProcess:
    """A program that serves HTTP; `start` waits until it answers, `stop` leaves nothing of it.

    Args:
        name: what messages call it.
        command, env, folder: as for a shell; `env` is added to this process's environment.
        health_url: answers 200 when it is ready.
        log: file that takes all it prints.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        health_url: str,
        log: Path,
        folder: Path,
    ) -> None:
        self.name, self.command, self.env = name, list(command), dict(env)
        self.health_url, self.log, self.folder = health_url, log, folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *, timeout_s: float) -> None:
        """Start it and wait.

        Raises:
            BackendError: it stopped, or did not answer in time; with the last lines of its log.
        """
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as output:
            self._process = subprocess.Popen(
                self.command,
                env=os.environ | self.env,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + timeout_s
        while not self._is_healthy():
            if self._process.poll() is not None:
                raise BackendError(
                    f"{self.name} stopped with status {self._process.returncode}: {self.read_last_lines()}"
                )
            if time.monotonic() > deadline:
                self.stop()
                raise BackendError(
                    f"{self.name} did not answer within {timeout_s:g} s: {self.read_last_lines()}"
                )
            time.sleep(0.2)

    def _is_healthy(self) -> bool:
        try:
            with urllib.request.urlopen(self.health_url, timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def is_running(self) -> bool:
        """Tell whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """Ask its whole process group to end, then make it; returns when all of it has ended."""
        if self._process is None:
            return
        for how, wait_s in ((signal.SIGTERM, 20), (signal.SIGKILL, 5)):
            try:
                os.killpg(self._process.pid, how)
            except ProcessLookupError:
                break
            if self._has_ended(wait_s):
                break
        self._process = None

    def _has_ended(self, wait_s: float) -> bool:
        """Tell whether the whole group ends in time: its children may live a moment longer than itself."""
        assert self._process is not None
        deadline = time.monotonic() + wait_s
        while time.monotonic() < deadline:
            self._process.poll()  # or it would stay in the group as a zombie
            try:
                os.killpg(self._process.pid, 0)
            except ProcessLookupError:
                return True
            time.sleep(0.02)
        return False

    def read_last_lines(self) -> str:
        """Return the end of its log, on one line."""
        if not self.log.is_file():
            return "it printed nothing"
        lines = [line for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
        return " | ".join(lines[-_MAX_LOG_LINES:]) + f" (all of it: {self.log})"


def find_free_port() -> int:
    """Find a port of this machine that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
