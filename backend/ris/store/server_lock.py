"""One server for each SQLite database: a lock on a file beside it, which ends with the process.

PostgreSQL serves several servers (`store.claims`).
"""

from pathlib import Path

from filelock import FileLock, Timeout

from ris.errors import StoreError
from ris.store.database_url import parse_database_url


class ServerLock:
    """The lock of one server. `release` gives it back.

    Args:
        url: of the database, as for `Database.open`.

    Raises:
        StoreError: another server has the lock, or the file cannot be locked.
    """

    def __init__(self, url: str) -> None:
        address = parse_database_url(url)
        self._lock: FileLock | None = None
        if address.get_backend_name() != "sqlite":
            return
        database = Path(address.database or "").resolve()
        self._lock = FileLock(database.with_name(f"{database.name}.server"), timeout=0, thread_local=False)
        try:
            self._lock.acquire()
        except Timeout as error:
            raise StoreError(
                f"another server uses the database {database} already, and SQLite serves one: stop that "
                "server, or use PostgreSQL for several (RIS_DATABASE_URL=postgresql://...)"
            ) from error
        except (OSError, NotImplementedError) as error:  # the latter: a file system without locks
            raise StoreError(
                f"cannot lock the database {database} for this server: {error}; put it on a local disk, or "
                "use PostgreSQL"
            ) from error

    def release(self) -> None:
        """Let another server use the database."""
        if self._lock is not None:
            self._lock.release()
