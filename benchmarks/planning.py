"""Measure how the memory of `ris prelabel` grows with the dataset: `python -m benchmarks.planning`.

Each number of tasks has a process of its own. It reads a JSON Lines file of made-up tasks, two for each
image, stores them, plans what is missing in an empty SQLite database, then starts the engine and takes its
first shards. The workers' networks are fakes, because only the driver is measured. Memory is the largest
resident set of the driver's process so far. CPU seconds tell more than seconds on a busy machine.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.fake_workers import load_fake_fetch, load_fake_fetcher, load_fake_labeller
from benchmarks.processor import print_processor
from ris.batch.cluster import RayEngine
from ris.batch.engine import Engine, ProcessEngine
from ris.batch.prelabel import plan_tasks
from ris.batch.run_folder import RunFolder
from ris.batch.taskfile import DataKeys, TaskFile
from ris.cli.defects import DefectCounter
from ris.cli.prelabel_input import TaskSource, store_tasks
from ris.core.types import Task
from ris.label_config import read as read_config
from ris.labelstudio.config.control import read_controls
from ris.store.session import Database, upgrade_database


def main() -> None:
    """Print a row per number of tasks, or with --one measure one number and print it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", choices=("local", "ray"), default="local")
    parser.add_argument("--tasks", type=int, nargs="+", default=(10_000, 1_000_000))
    parser.add_argument("--shards", type=int, default=20)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(measure_planning(args.engine, args.tasks[0], args.shards)))
        return
    print_processor()
    table = Table(
        "tasks", "read", "plan", "memory after planning", f"memory after {args.shards} shards",
        title=f"{args.engine}, {os.cpu_count()} cores, {platform.processor() or platform.machine()}",
    )  # fmt: skip
    for n_tasks in args.tasks:
        folders = [str(Path.cwd()), os.environ.get("PYTHONPATH", "")]  # the workers import the fakes
        command = [sys.executable, "-m", "benchmarks.planning", "--one", "--engine", args.engine]
        command += ["--tasks", str(n_tasks), "--shards", str(args.shards)]
        ran = subprocess.run(
            command, check=True, stdout=subprocess.PIPE, text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(folders)},
        )  # fmt: skip
        # Ray prints lines of its own.
        one = json.loads(next(line for line in ran.stdout.splitlines() if line.startswith("{")))
        table.add_row(
            f"{n_tasks:,}", f"{one['read_s']:.1f} s (CPU {one['read_cpu_s']:.1f})",
            f"{one['plan_s']:.1f} s (CPU {one['plan_cpu_s']:.1f})",
            f"{one['planned_mb']:.0f} MB", f"{one['ended_mb']:.0f} MB",
        )  # fmt: skip
    Console().print(table)


def measure_planning(engine_name: str, n_tasks: int, n_shards: int) -> dict[str, float]:
    """Read, plan and start a run of many tasks; return seconds and megabytes."""
    with tempfile.TemporaryDirectory() as base:
        url = f"sqlite:///{Path(base) / 'ris.db'}"
        upgrade_database(url)
        path = Path(base) / "tasks.jsonl"
        with path.open("w") as file:
            for number in range(n_tasks):
                image = f"https://images.example/{number // 2:09}.jpg"
                data = {"image": image, "expression": f"the {number}"}
                file.write(json.dumps(data) + "\n")
        controls = read_controls(read_config("pick_brush.xml"))
        tasks = TaskFile(path, DataKeys())
        source = TaskSource("made up", tasks.key, tasks.scan(), controls, load_fake_fetch)
        database = Database.open(url)
        with RunFolder(Path(base) / "work", source.project) as folder:
            started = read_times()
            stored = store_tasks(source, folder.entries, DefectCounter())
            read = read_times()
            usable = (task for _, task in stored.read() if isinstance(task, Task))
            plan_tasks(database, usable, "fake", folder.manifest)
            planned = read_times()
            planned_mb = get_peak_mb()
            shards = make_fake_engine(engine_name).run(folder)
            for _ in range(n_shards):
                next(shards)
            shards.close()  # type: ignore[attr-defined]
            ended_mb = get_peak_mb()
        database.close()
    return {
        "read_s": read[0] - started[0],
        "read_cpu_s": read[1] - started[1],
        "plan_s": planned[0] - read[0],
        "plan_cpu_s": planned[1] - read[1],
        "planned_mb": planned_mb,
        "ended_mb": ended_mb,
    }


def read_times() -> tuple[float, float]:
    """Return the time and this process's CPU time, in seconds."""
    return time.perf_counter(), time.process_time()


def get_peak_mb() -> float:
    """Return the largest resident set of this process, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def make_fake_engine(name: str) -> Engine:
    """Make an engine with one worker, whose networks are fakes."""
    if name == "local":
        return ProcessEngine(load_fake_fetcher, load_fake_labeller, 1)  # type: ignore[arg-type]
    return RayEngine(load_fake_fetcher, load_fake_labeller, 1, address=None)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
