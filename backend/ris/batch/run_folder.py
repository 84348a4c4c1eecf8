"""The folder of a run: its tasks, its manifest, and the shards that are not loaded yet."""

import hashlib
import shutil
from pathlib import Path
from types import TracebackType
from typing import Self

from filelock import FileLock, Timeout

from ris.batch.shard import remove_unfinished_shards
from ris.errors import InputError, SettingsError


class RunFolder:
    """The files of one project's runs. Only one run at a time uses them.

    A killed run leaves its shards here, and the next run of the same project loads them. A run that ends
    removes what it made.

    Args:
        base: folder of all projects; it is made.
        project: key of the project.

    Attributes:
        entries: the file of `batch.entries`.
        manifest: the folder of `batch.manifest`.
        shards: the folder of `batch.shard`.
        marks: the folder of `batch.marks`.

    Raises:
        SettingsError: the folder cannot be made.
        InputError: another run uses it.
    """

    def __init__(self, base: Path, project: str) -> None:
        self.base = base.resolve()
        self._folder = self.base / hashlib.sha256(project.encode()).hexdigest()[:16]
        self.entries, self.manifest = self._folder / "tasks.parquet", self._folder / "manifest"
        self.shards, self.marks = self._folder / "shards", self._folder / "marks"
        try:
            self.shards.mkdir(parents=True, exist_ok=True)
            self.marks.mkdir(exist_ok=True)
            self._lock = FileLock(self._folder / "lock")
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise InputError(
                f"another run of this project uses {self._folder}: wait for its end, or stop it"
            ) from error
        except OSError as error:
            raise SettingsError(
                f"{self._folder} cannot be written: {error.strerror or error}; name another folder with "
                "--work"
            ) from error
        remove_unfinished_shards(self.shards)

    def __enter__(self) -> Self:
        """Return the folder."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, place: TracebackType | None
    ) -> None:
        """Remove what is not needed any more: shards that were not loaded stay."""
        self.entries.unlink(missing_ok=True)
        shutil.rmtree(self.manifest, ignore_errors=True)
        is_empty = not any(self.shards.iterdir())
        if is_empty:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._lock.release()
        if is_empty and not any(self.base.iterdir()):
            self.base.rmdir()
