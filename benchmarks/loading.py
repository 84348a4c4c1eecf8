"""Measure how fast shards are loaded into the database: `python -m benchmarks.loading [--database-url URL]`.

The shards hold the results of one drawn scene with preset tiny, copied under other addresses, digests and
task numbers: two expressions an image, three suggestions each. The database is a new SQLite file unless an
empty one is named. "one by one" stores the same tasks as an answer to /predict is stored, for comparison.
"""

import argparse
import os
import platform
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.processor import print_processor
from ris.assembly import get_utc_now, load_worker_pipeline
from ris.batch.load import load_shard
from ris.batch.plan import Block, TaskGroup
from ris.batch.shard import find_shards, write_shard
from ris.batch.work import GroupResult, Labeller
from ris.config import Settings
from ris.core.types import Task
from ris.labelstudio.images.decoding import decode_image
from ris.labelstudio.region import make_alternatives
from ris.store.records import add_alternatives
from ris.store.session import Database, upgrade_database
from ris.tinyworld.samples import make_samples


def main() -> None:
    """Print images a second for shards of a size, and one by one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=960)
    parser.add_argument("--shard-images", type=int, nargs="+", default=(1, 16, 64))
    parser.add_argument("--database-url", default=None)
    args = parser.parse_args()
    print_processor()
    result = compute_result()
    with tempfile.TemporaryDirectory() as folder:
        url = args.database_url or f"sqlite:///{Path(folder) / 'ris.db'}"
        upgrade_database(url)
        database = Database.open(url)
        machine = f"{os.cpu_count()} cores, {platform.processor() or platform.machine()}"
        table = Table(
            "stored by", "images per second", "per CPU second of the driver",
            title=f"{url.partition(':')[0]}, {machine}",
        )  # fmt: skip
        for number, n_images in enumerate(args.shard_images):
            results = copy_result(result, args.images, f"1.{number}")
            for start in range(0, len(results), n_images):
                part = results[start : start + n_images]
                name = Block(tuple(one.group for one in part), "tiny").name
                write_shard(Path(folder), name, "tiny", part)

            def load_all() -> None:
                for path in find_shards(Path(folder)):
                    load_shard(database, path, shuffled_share=0, now=get_utc_now)

            table.add_row(f"shards of {n_images}", *measure_rate(load_all, args.images))
        results = copy_result(result, args.images, "2.1")
        table.add_row("one by one", *measure_rate(lambda: store_one_by_one(database, results), args.images))
        database.close()
    Console().print(table)


def compute_result() -> GroupResult:
    """Compute the result of one drawn scene with two expressions."""
    (sample,) = make_samples(1)
    tasks = tuple(Task(i, "1.1", "x", words) for i, words in enumerate((sample.expression, "the left one")))
    image = decode_image(sample.png, max_pixels=10**7)
    return Labeller(lambda: load_worker_pipeline(Settings()), None)((TaskGroup("x", tasks), image))


def copy_result(result: GroupResult, count: int, project: str) -> list[GroupResult]:
    """Copy a result under other addresses, digests and task numbers."""
    copies = []
    for number in range(count):
        url = f"https://images.example/{project}/{number}.png"
        tasks = tuple(
            Task(2 * number + i, project, url, task.expression) for i, task in enumerate(result.group.tasks)
        )
        digest = f"{project}-{number}".rjust(64, "0")
        copies.append(replace(result, group=TaskGroup(url, tasks), digest=digest))
    return copies


def store_one_by_one(database: Database, results: list[GroupResult]) -> None:
    """Store results as answers to /predict are stored, an image in a transaction."""
    for result in results:
        with database.begin() as session:
            for task, reference in zip(result.group.tasks, result.references, strict=True):
                if reference is not None:
                    shown = make_alternatives(task, "tiny", reference.suggestions, shuffled_share=0)
                    add_alternatives(
                        session, task, result.digest, result.size, shown, version="tiny",
                        method_scores=reference.scores, proposals=result.masks, now=get_utc_now(),
                    )  # fmt: skip


def measure_rate(work: Callable[[], None], n_images: int) -> tuple[str, str]:
    """Return images a second, and images a second of this process's CPU time, as text."""
    started, cpu = time.perf_counter(), time.process_time()
    work()
    return (
        f"{n_images / (time.perf_counter() - started):.0f}",
        f"{n_images / (time.process_time() - cpu):.0f}",
    )


if __name__ == "__main__":
    main()
