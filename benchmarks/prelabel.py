"""Measure pre-labelling with 1, 2 and 4 workers: `python -m benchmarks.prelabel [--engine ray]`, preset tiny.

Drawn scenes with two expressions each, from the manifest to the database. The rate counts from the first
stored shard: the time to load the networks is printed in a column of its own. The networks' share of waiting
is the part of the time after their first image in which they had none.
"""

import argparse
import base64
import os
import platform
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.processor import print_processor
from ris.assembly import get_utc_now, load_worker_pipeline, make_image_source
from ris.batch.cluster import RayEngine
from ris.batch.engine import Engine, FinishedShard, ProcessEngine
from ris.batch.load import load_shard
from ris.batch.prelabel import plan_tasks
from ris.batch.run_folder import RunFolder
from ris.batch.work import GroupFetcher, Labeller
from ris.config import Settings
from ris.core.types import Task
from ris.planning import make_plan
from ris.store.session import Database, upgrade_database
from ris.tinyworld.samples import make_samples


def main() -> None:
    """Print a row per number of workers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", choices=("local", "ray"), default="local")
    parser.add_argument("--images", type=int, default=40)
    parser.add_argument("--shard-images", type=int, default=2)
    parser.add_argument("--workers", type=int, nargs="+", default=(1, 2, 4))
    args = parser.parse_args()
    print_processor()
    tasks = make_drawn_tasks(args.images)
    table = Table(
        "workers",
        "first shard after",
        "images per second",
        "times one worker",
        "networks wait",
        title=f"{args.engine}, {args.images} images, shards of {args.shard_images}, "
        f"{os.cpu_count()} cores, {platform.processor() or platform.machine()}",
    )
    alone = None
    for workers in args.workers:
        first_s, rate, waiting = measure_prelabel(args.engine, workers, tasks, args.shard_images)
        alone = alone or rate
        table.add_row(
            str(workers), f"{first_s:.1f} s", f"{rate:.2f}", f"{rate / alone:.2f}", f"{100 * waiting:.1f} %"
        )
    Console().print(table)


def make_drawn_tasks(n_images: int) -> list[Task]:
    """Make two tasks of each of some drawn scenes."""
    tasks = []
    for number, sample in enumerate(make_samples(n_images)):
        url = "data:image/png;base64," + base64.b64encode(sample.png).decode()
        tasks += [
            Task(2 * number + i, "1.1", url, words)
            for i, words in enumerate((sample.expression, "the left one"))
        ]
    return tasks


def measure_prelabel(
    engine: str, workers: int, tasks: Sequence[Task], shard_images: int
) -> tuple[float, float, float]:
    """Pre-label tasks from the manifest to the database.

    Returns:
        Seconds to the first stored shard; images per second from then on; the networks' share of waiting.
    """
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'ris.db'}"
        upgrade_database(url)
        settings, database = Settings(database_url=url), Database.open(url)
        with RunFolder(Path(folder) / "work", "1.1") as run:
            version = make_plan(settings).version
            plan_tasks(database, tasks, version, run.manifest, images_per_block=shard_images)
            shards = make_engine(engine, settings, workers).run(run)
            started = time.perf_counter()
            first = next(shards)
            store_shard(database, first)
            first_s = time.perf_counter() - started
            n_images, worked_s, waited_s = 0, first.worked_s, first.waited_s
            for shard in shards:
                n_images += store_shard(database, shard)
                worked_s, waited_s = worked_s + shard.worked_s, waited_s + shard.waited_s
            rate = n_images / (time.perf_counter() - started - first_s)
        database.close()
    return first_s, rate, waited_s / (worked_s + waited_s)


def store_shard(database: Database, shard: FinishedShard) -> int:
    """Load a shard; return the number of its images."""
    return load_shard(database, shard.path, shuffled_share=0, now=get_utc_now).n_images


def make_engine(name: str, settings: Settings, workers: int) -> Engine:
    """Make the local engine or the one of Ray on this machine."""
    fetcher = partial(GroupFetcher, partial(make_image_source, settings))
    labeller = partial(Labeller, partial(load_worker_pipeline, settings), None)
    if name == "local":
        return ProcessEngine(fetcher, labeller, workers)
    return RayEngine(fetcher, labeller, workers, address=None)


if __name__ == "__main__":
    main()
