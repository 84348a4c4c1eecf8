"""Compute and store the suggestions of a dataset: plan what is missing, compute shards, load them.

The database is the truth: a task with stored suggestions is never planned. Shards are between the workers
and the database, so an interrupted run can be started again at any moment.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path

from ris.batch.engine import Engine, FinishedShard
from ris.batch.load import LoadedShard, load_shard
from ris.batch.manifest import IMAGES_PER_BLOCK, ManifestWriter
from ris.batch.run_folder import RunFolder
from ris.batch.shard import find_shards
from ris.core.types import Task
from ris.store.records import find_answered_tasks
from ris.store.session import Database

_TASKS_PER_QUERY = 500


def find_unanswered_tasks(database: Database, tasks: Iterable[Task], version: str) -> Iterator[Task]:
    """Yield the tasks that have no stored suggestions of a model version; a query per block of tasks."""
    waiting = iter(tasks)
    while part := list(itertools.islice(waiting, _TASKS_PER_QUERY)):
        with database.begin() as session:
            answered = find_answered_tasks(session, part, version)
        yield from (task for task in part if task not in answered)


def plan_tasks(
    database: Database,
    tasks: Iterable[Task],
    version: str,
    manifest: Path,
    *,
    images_per_block: int = IMAGES_PER_BLOCK,
) -> int:
    """Write the manifest of the tasks without suggestions; return their number.

    Args:
        database: has the suggestions.
        tasks: all tasks; they are read once, and some hundred are in memory.
        version: model version of the suggestions.
        manifest: folder of the manifest.
        images_per_block: images whose results are written together; so many are lost with a worker.

    Raises:
        StoreError: the database cannot be read.
    """
    with ManifestWriter() as writer:
        writer.add(find_unanswered_tasks(database, tasks, version))
        writer.write(manifest, version, images_per_block=images_per_block)
        return writer.n_tasks


def load_shards(
    database: Database, folder: Path, *, shuffled_share: float, now: Callable[[], datetime]
) -> Iterator[LoadedShard]:
    """Load the shards that an interrupted run left, of every version; see `load_shard`."""
    for path in find_shards(folder):
        yield load_shard(database, path, shuffled_share=shuffled_share, now=now)


def prelabel_tasks(
    database: Database,
    engine: Engine,
    folder: RunFolder,
    *,
    shuffled_share: float,
    now: Callable[[], datetime],
) -> Iterator[tuple[FinishedShard, LoadedShard]]:
    """Compute the suggestions of a manifest, load each shard when it is complete, and yield it.

    Args:
        database: where suggestions are stored, a transaction per shard.
        engine: runs the networks; it writes to the shards of `folder`.
        folder: has the manifest.
        shuffled_share: fraction of tasks shown shuffled, to measure position bias.
        now: the clock.

    Raises:
        BackendError: the workers cannot start.
        StoreError: the database cannot be written.
    """
    for shard in engine.run(folder):
        yield shard, load_shard(database, shard.path, shuffled_share=shuffled_share, now=now)
    # A cluster can compute a block of a lost node again: its second shard has nothing new, and is removed.
    for _ in load_shards(database, folder.shards, shuffled_share=shuffled_share, now=now):
        pass
