"""Measure the start of the command line: `python -m benchmarks.startup`.

The peer is Python's own bare start. Targets on two idle cores: `ris --help` in less than 1 s, `ris models
list` in less than 2 s. Processor time is printed beside the elapsed time, because other load on the machine
changes it less.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.processor import print_processor

MEASURED_COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "ris --help": ["-m", "ris", "--help"],
    "ris models list": ["-m", "ris", "models", "list"],
    "ris events --help": ["-m", "ris", "events", "--help"],
}


def main() -> None:
    """Print a row per command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="runs of each command; the median is printed")
    args = parser.parse_args()
    print_processor()
    table = Table(title=f"start of a command, median of {args.rounds}")
    for heading in ("command", "elapsed", "processor time", "times python"):
        table.add_column(heading, justify="left" if heading == "command" else "right")
    runs: dict[str, list[tuple[float, float]]] = {name: [] for name in MEASURED_COMMANDS}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(args.rounds + 1):  # the first round fills the disk cache and is not counted
            for name, arguments in MEASURED_COMMANDS.items():
                seconds = measure_run(arguments, Path(folder))
                if number:
                    runs[name].append(seconds)
    bare = statistics.median(elapsed for elapsed, _ in runs["python -c pass"])
    for name, pairs in runs.items():
        elapsed, processor = (statistics.median(column) for column in zip(*pairs, strict=True))
        table.add_row(name, f"{elapsed:.2f} s", f"{processor:.2f} s", f"{elapsed / bare:.0f}")
    Console().print(table)


def measure_run(arguments: list[str], folder: Path) -> tuple[float, float]:
    """Run Python with arguments in a folder; return its elapsed and its processor time in seconds."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("RIS_")}
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, *arguments], cwd=folder, env=env, check=True, stdout=subprocess.DEVNULL)
    elapsed, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return elapsed, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
