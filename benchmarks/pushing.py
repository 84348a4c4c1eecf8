"""Measure predictions into a real Label Studio: `python -m benchmarks.pushing --tasks 5000`.

It starts a Label Studio of its own, as the live tests do, imports tasks, makes three alternatives of each,
and pushes them as `ris prelabel --push` does, in calls of `--batch` tasks. A second pass finds all of them.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.processor import print_processor
from ris.assembly import get_utc_now
from ris.cli.prelabel_output import PUSH_BATCH_SIZE
from ris.core.masks import compute_rle_box
from ris.core.rle import encode_rle
from ris.core.types import Suggestion, Task
from ris.label_config import read
from ris.labelstudio.api.client import LabelStudioClient
from ris.labelstudio.api.pushing import Parcel, PredictionWriter
from ris.labelstudio.config.control import read_controls
from ris.labelstudio.region import make_alternatives
from ris.service.writing import write_parcels
from ris.store.session import Database, upgrade_database
from tests.live.support.project import Project
from tests.live.support.studio import DEMO_TOKEN, LabelStudioServer

_LABEL_CONFIG = read("tabs_brush.xml")
_CONTROLS = read_controls(_LABEL_CONFIG)
_SIZE = (480, 640)
_VERSION = "benchmark-1"
_TASKS_PER_IMPORT = 1000


def main() -> None:
    """Print a row for each pass."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", type=int, default=2000)
    parser.add_argument("--batch", type=int, default=PUSH_BATCH_SIZE, help="tasks in one call")
    args = parser.parse_args()
    print_processor()
    table = Table("pass", "predictions stored", "seconds", "predictions per second")
    with tempfile.TemporaryDirectory() as folder, LabelStudioServer(Path(folder)) as server:
        client = LabelStudioClient(server.url, DEMO_TOKEN)
        tasks = import_tasks(client, args.tasks)
        upgrade_database(f"sqlite:///{folder}/ris.db")
        database = Database.open(f"sqlite:///{folder}/ris.db")
        for name in ("first", "all are there"):
            start = time.perf_counter()
            n_stored = push(database, client, tasks, args.batch)
            seconds = time.perf_counter() - start
            table.add_row(name, str(n_stored), f"{seconds:.1f}", f"{3 * len(tasks) / seconds:.0f}")
        database.close()
        n_there = client.call(
            "GET", "/api/tasks", project=int(tasks[0].project.partition(".")[0]), page_size=1
        )
    Console().print(table)
    print(f"{n_there['total_predictions']} predictions of {len(tasks)} tasks are in Label Studio")


def import_tasks(client: LabelStudioClient, n_tasks: int) -> list[Task]:
    """Import tasks into a new project."""
    project, _ = Project.create(client, "pushing", _LABEL_CONFIG, [])
    tasks: list[Task] = []
    while len(tasks) < n_tasks:
        part = range(len(tasks), min(len(tasks) + _TASKS_PER_IMPORT, n_tasks))
        fields = [{"image": f"/data/upload/{n}.png", "expression": f"the mug {n}"} for n in part]
        numbers = project.import_tasks(fields)
        tasks += [
            Task(number, project.key, one["image"], one["expression"])
            for number, one in zip(numbers, fields, strict=True)
        ]
    return tasks


def make_parcels(tasks: list[Task]) -> Iterator[Parcel]:
    """Make three ellipses for each task, as large as objects are: about 5 kB of brush RLE each."""
    y, x = np.mgrid[: _SIZE[0], : _SIZE[1]]
    masks = [encode_rle((x - 150 * i - 160) ** 2 / 8100 + (y - 240) ** 2 / 32400 < 1) for i in range(3)]
    suggestions = [
        Suggestion(i, 0.9 - 0.2 * i, mask, compute_rle_box(mask), {}, _VERSION)
        for i, mask in enumerate(masks)
    ]
    for task in tasks:
        yield Parcel(task, make_alternatives(task, _VERSION, suggestions, shuffled_share=0))


def push(database: Database, client: LabelStudioClient, tasks: list[Task], batch: int) -> int:
    """Push the predictions of all tasks; return how many were new."""
    writer, n_stored = PredictionWriter(client), 0
    for start in range(0, len(tasks), batch):
        parcels = list(make_parcels(tasks[start : start + batch]))
        n_stored += write_parcels(database, writer, parcels, _CONTROLS, _VERSION, now=get_utc_now).n_new
    return n_stored


if __name__ == "__main__":
    main()
