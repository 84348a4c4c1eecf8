"""A dataset ahead, by 1, 2 and 4 workers: `python benchmarks/prelabel.py [--engine ray]`, preset tiny.

Drawn scenes with two expressions each. The rate is that from the first image on: loading the networks is not
in it, and is printed beside it.
"""

import argparse
import base64
import tempfile
import time
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ris.assembly import labeller_parts, planned, utc_now
from ris.batch.cluster import Cluster
from ris.batch.engine import Processes
from ris.batch.prelabel import prelabel
from ris.batch.work import Labeller
from ris.config import Settings
from ris.core.types import Task
from ris.store.session import Database, upgrade
from tests.live.support.samples import make_samples


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", choices=("local", "ray"), default="local")
    parser.add_argument("--images", type=int, default=40)
    parser.add_argument("--workers", type=int, nargs="+", default=(1, 2, 4))
    args = parser.parse_args()
    tasks = []
    for number, sample in enumerate(make_samples(args.images)):
        url = "data:image/png;base64," + base64.b64encode(sample.png).decode()
        tasks += [
            Task(2 * number + i, "1.1", url, words)
            for i, words in enumerate((sample.expression, "the left one"))
        ]
    table = Table(
        "workers", "first after", "images a second", "times one", title=f"{args.engine}, {args.images} images"
    )
    alone = None
    for workers in args.workers:
        first_s, rate = run(args.engine, workers, tasks)
        alone = alone or rate
        table.add_row(str(workers), f"{first_s:.1f} s", f"{rate:.2f}", f"{rate / alone:.2f}")
    Console().print(table)


def run(engine: str, workers: int, tasks: list[Task]) -> tuple[float, float]:
    """Seconds to the first group that is stored, and groups a second from there."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'ris.db'}"
        upgrade(url)
        settings, database = Settings(database_url=url), Database.open(url)
        make = partial(Labeller, partial(labeller_parts, settings), None)
        working = Processes(make, workers) if engine == "local" else Cluster(make, workers, address=None)
        started = time.perf_counter()
        steps = prelabel(
            database, working, tasks, version=planned(settings).version, shuffled_share=0, now=utc_now
        )
        next(iter(steps))
        first = time.perf_counter()
        rest = sum(1 for _ in steps)
        rate = rest / (time.perf_counter() - first)
        database.close()
    return first - started, rate


if __name__ == "__main__":
    main()
