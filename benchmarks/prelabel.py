"""Measure pre-labelling with 1, 2 and 4 workers: `python -m benchmarks.prelabel [--engine ray]`, preset tiny.

Drawn scenes with two expressions each. The rate counts from the first finished image: the time to load the
networks is printed in a column of its own.
"""

import argparse
import base64
import tempfile
import time
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.processor import print_processor
from ris.assembly import get_utc_now, load_worker
from ris.batch.cluster import RayEngine
from ris.batch.engine import ProcessEngine
from ris.batch.prelabel import prelabel_tasks
from ris.batch.work import Labeller
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
    parser.add_argument("--workers", type=int, nargs="+", default=(1, 2, 4))
    args = parser.parse_args()
    print_processor()
    tasks = []
    for number, sample in enumerate(make_samples(args.images)):
        url = "data:image/png;base64," + base64.b64encode(sample.png).decode()
        tasks += [
            Task(2 * number + i, "1.1", url, words)
            for i, words in enumerate((sample.expression, "the left one"))
        ]
    table = Table(
        "workers",
        "first image after",
        "images per second",
        "times one worker",
        title=f"{args.engine}, {args.images} images",
    )
    alone = None
    for workers in args.workers:
        first_s, rate = measure_prelabel(args.engine, workers, tasks)
        alone = alone or rate
        table.add_row(str(workers), f"{first_s:.1f} s", f"{rate:.2f}", f"{rate / alone:.2f}")
    Console().print(table)


def measure_prelabel(engine: str, workers: int, tasks: list[Task]) -> tuple[float, float]:
    """Measure the seconds until the first group is stored, and the groups per second from then on."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'ris.db'}"
        upgrade_database(url)
        settings, database = Settings(database_url=url), Database.open(url)
        make_labeller = partial(Labeller, partial(load_worker, settings), None)
        pool = (
            ProcessEngine(make_labeller, workers)
            if engine == "local"
            else RayEngine(make_labeller, workers, address=None)
        )
        started = time.perf_counter()
        steps = prelabel_tasks(
            database, pool, tasks, version=make_plan(settings).version, shuffled_share=0, now=get_utc_now
        )
        next(iter(steps))
        first = time.perf_counter()
        rest = sum(1 for _ in steps)
        rate = rest / (time.perf_counter() - first)
        database.close()
    return first - started, rate


if __name__ == "__main__":
    main()
