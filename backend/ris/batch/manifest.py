"""The manifest: the tasks of a run, grouped by image, in blocks, as Parquet files of a limited size.

Tasks come in any order and are grouped on disk, so memory does not grow with their number. A row of the
files is a block: for each of its images the address, the project, and the ids and expressions of its tasks.
"""

import hashlib
import itertools
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from ris.batch.plan import Block, TaskGroup, group_tasks, make_blocks
from ris.core.scratch import open_scratch
from ris.core.types import Task

_GROUP = pa.struct(
    [
        ("image", pa.string()),
        ("project", pa.string()),
        ("tasks", pa.list_(pa.int64())),
        ("expressions", pa.list_(pa.string())),
    ]
)
MANIFEST_SCHEMA = pa.schema([("version", pa.string()), ("groups", pa.list_(_GROUP))])
IMAGES_PER_BLOCK = 16
BLOCKS_PER_FILE = 256
MAX_CHARACTERS_PER_FILE = 32 * 2**20  # of images, which can be data: URIs
_BLOCKS_PER_READ = 16
_TASKS_PER_WRITE = 500

_SCHEMA = """
    CREATE TABLE image (id INTEGER PRIMARY KEY, digest BLOB UNIQUE, url TEXT);
    CREATE TABLE task (image INTEGER, seq INTEGER, task_id INTEGER, project TEXT, expression TEXT,
                       PRIMARY KEY (image, seq)) WITHOUT ROWID;
"""


class ManifestWriter:
    """Collects tasks on disk and writes them grouped by image, in the order of the images' first tasks."""

    def __init__(self) -> None:
        self._scratch = open_scratch(_SCHEMA)
        self.n_tasks = 0

    def add(self, tasks: Iterable[Task]) -> None:
        """Add tasks."""
        waiting = iter(tasks)
        while part := list(itertools.islice(waiting, _TASKS_PER_WRITE)):
            digests = [
                hashlib.sha256(task.image_url.encode("utf-8", "surrogatepass")).digest() for task in part
            ]
            self._scratch.executemany(
                "INSERT OR IGNORE INTO image (digest, url) VALUES (?, ?)",
                [(digest, task.image_url) for digest, task in zip(digests, part, strict=True)],
            )
            self._scratch.executemany(
                "INSERT INTO task SELECT id, ?, ?, ?, ? FROM image WHERE digest = ?",
                [
                    (number, task.task_id, task.project, task.expression, digest)
                    for number, (digest, task) in enumerate(zip(digests, part, strict=True), self.n_tasks)
                ],
            )
            self.n_tasks += len(part)

    def write(self, folder: Path, version: str, *, images_per_block: int = IMAGES_PER_BLOCK) -> None:
        """Write the files of the manifest; those of an earlier run are removed.

        Args:
            folder: where the files go; it is made.
            version: of the suggestions that are to be computed.
            images_per_block: images whose results are written together.
        """
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.glob("*.parquet"):
            path.unlink()
        blocks = make_blocks(group_tasks(self._read_tasks()), version, n_images=images_per_block)
        for number, rows in enumerate(_split_rows(blocks)):
            table = pa.Table.from_pylist(rows, MANIFEST_SCHEMA)
            pq.write_table(table, folder / f"{number:08}.parquet", compression="zstd")

    def _read_tasks(self) -> Iterator[Task]:
        rows = self._scratch.execute(
            "SELECT task_id, project, url, expression FROM task JOIN image ON image.id = task.image "
            "ORDER BY task.image, task.seq"
        )
        for row in rows:
            yield Task(*row)

    def __enter__(self) -> Self:
        """Return the writer."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, place: TracebackType | None
    ) -> None:
        """Remove what was collected; the written files stay."""
        self._scratch.close()


def _split_rows(blocks: Iterable[Block]) -> Iterator[list[dict[str, Any]]]:
    rows: list[dict[str, Any]] = []
    n_characters = 0
    for block in blocks:
        rows.append(to_manifest_row(block))
        n_characters += sum(len(group.image_url) for group in block.groups)
        if len(rows) == BLOCKS_PER_FILE or n_characters > MAX_CHARACTERS_PER_FILE:
            yield rows
            rows, n_characters = [], 0
    if rows:
        yield rows


def to_manifest_row(block: Block) -> dict[str, Any]:
    """Convert a block to a row of the manifest."""
    groups = [
        {
            "image": group.image_url,
            "project": group.tasks[0].project,
            "tasks": [task.task_id for task in group.tasks],
            "expressions": [task.expression for task in group.tasks],
        }
        for group in block.groups
    ]
    return {"version": block.version, "groups": groups}


def from_manifest_row(row: Mapping[str, Any]) -> Block:
    """Convert a row of the manifest to a block; the inverse of `to_manifest_row`."""
    return Block(tuple(map(_to_group, row["groups"])), row["version"])


def _to_group(row: Mapping[str, Any]) -> TaskGroup:
    image, project = row["image"], row["project"]
    pairs = zip(row["tasks"], row["expressions"], strict=True)
    return TaskGroup(image, tuple(Task(int(number), project, image, words) for number, words in pairs))


def list_manifest_files(folder: Path) -> list[Path]:
    """Return the files of a manifest in order."""
    return sorted(folder.glob("*.parquet"))


def read_blocks(folder: Path) -> Iterator[Block]:
    """Yield the blocks of a manifest in order; some are in memory at a time."""
    for path in list_manifest_files(folder):
        yield from map(from_manifest_row, read_manifest_file(path))


def read_manifest_file(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of one file of a manifest; some are in memory at a time."""
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(_BLOCKS_PER_READ):
            yield from batch.to_pylist()
