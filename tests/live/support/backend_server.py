"""`ris serve` as a child process, as a user would run it."""

import sys
from collections.abc import Sequence
from pathlib import Path

from ris.store.session import upgrade_database
from tests.live.support.process import ServerProcess, find_free_port
from tests.live.support.studio import DEMO_TOKEN


class BackendServer:
    """Our backend on a free port, for one Label Studio. Use it as a context manager.

    Args:
        folder: takes its database and its log.
        studio_url: where Label Studio is.
        database_url: SQLite in the folder by default.
        program: Python's arguments for `ris`.
    """

    def __init__(
        self,
        folder: Path,
        studio_url: str,
        *,
        database_url: str | None = None,
        program: Sequence[str] = ("-m", "ris"),
    ) -> None:
        self.folder = folder.resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.database_url = database_url or f"sqlite:///{self.folder / 'ris.db'}"
        self.port = find_free_port()
        # An address and no name: Label Studio silently makes no webhook for a host without a dot.
        self.url = f"http://127.0.0.1:{self.port}"
        self._studio_url, self._program = studio_url, program

    def __enter__(self) -> "BackendServer":
        upgrade_database(self.database_url)
        self.start()
        return self

    def start(self) -> None:
        """Start it; it answers within seconds and loads its networks meanwhile."""
        env = {
            "RIS_HOST": "127.0.0.1",
            "RIS_PORT": str(self.port),
            "RIS_DATABASE_URL": self.database_url,
            "RIS_LABEL_STUDIO_URL": self._studio_url,
            "RIS_LABEL_STUDIO_API_KEY": DEMO_TOKEN,
            "RIS_DEADLINE_S": "90",
        }
        self._server = ServerProcess(
            "the backend",
            [sys.executable, *self._program, "serve"],
            env=env,
            health_url=f"{self.url}/health",
            log=self.folder / "backend.log",
            folder=self.folder,
        )
        self._server.start(timeout_s=300)

    def stop(self) -> None:
        self._server.stop()

    def __exit__(self, *_: object) -> None:
        self.stop()
