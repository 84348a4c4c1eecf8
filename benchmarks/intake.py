"""Measure webhooks beside a full record: `python -m benchmarks.intake --folder DIR`. Needs `wrk`.

Durable events per second of a server whose database is full, as a share of one whose database is empty. The
full ones are those of `benchmarks.growth`, in the same folder; the events stay in them. The runs alternate;
the better of two turns counts.
"""

import argparse
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.growth import start_database
from benchmarks.records import fill_database
from benchmarks.webhooks import Load, run_server, run_wrk, write_lua_script

_N_TURNS, _CONNECTIONS = 2, (1, 8)


def measure_intake(urls: Mapping[str, str], folder: Path, seconds: int) -> dict[tuple[str, int], float]:
    """Return the best rate of each database, by its name and the number of connections, in events per second.

    Args:
        urls: of the databases, by name.
        folder: for the servers' logs.
        seconds: duration of each run.
    """
    script = write_lua_script(folder)
    best: dict[tuple[str, int], float] = {}
    for _ in range(_N_TURNS):
        for name, url in urls.items():
            with run_server(folder, url, forgetful=False) as address:
                for connections in _CONNECTIONS:
                    load: Load = run_wrk(address, script, connections=connections, seconds=seconds)
                    best[name, connections] = max(load.rate, best.get((name, connections), 0.0))
    return best


def main() -> None:
    """Fill what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="of the databases; they are kept")
    parser.add_argument("--decisions", type=int, default=1_000_000)
    parser.add_argument("--databases", nargs="+", choices=["SQLite", "PostgreSQL"], default=["SQLite"])
    parser.add_argument("--seconds", type=int, default=15, help="duration of each run")
    args = parser.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is not installed: apt install wrk")
    args.folder.mkdir(parents=True, exist_ok=True)
    table = Table("database", "connections", "empty", f"{args.decisions:,} decisions", "share")
    with tempfile.TemporaryDirectory() as name:
        for kind in args.databases:
            make_url_of, stop = start_database(kind, args.folder.resolve())
            try:
                full, is_filled = make_url_of(args.decisions)
                if not is_filled:
                    fill_database(full, args.decisions, is_shown=True)
                empty, _ = make_url_of(0)
                rates = measure_intake({"empty": empty, "full": full}, Path(name), args.seconds)
            finally:
                stop()
            for connections in _CONNECTIONS:
                before, beside = rates["empty", connections], rates["full", connections]
                table.add_row(
                    kind, str(connections), f"{before:.0f}/s", f"{beside:.0f}/s", f"{beside / before:.2f}"
                )
    Console().print(table)


if __name__ == "__main__":
    main()
