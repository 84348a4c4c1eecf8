"""Compare `ris serve` with gunicorn over the same application: `python -m benchmarks.servers`. Needs `wrk`.

Requests per second and the time of each, for webhooks and stored predictions. The servers run side by side
and are loaded in turn; the share is the median over the turns, so that other programs disturb all alike. Then
each server is told to stop while webhooks arrive: what was answered must be stored. Then `/health` is asked
while requests are held half-sent.
"""

import argparse
import base64
import http.client
import itertools
import json
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from benchmarks.processor import print_processor
from benchmarks.serving import call_server
from benchmarks.webhooks import ROOT, Load, make_webhook_body, run_wrk, write_lua_script
from ris import label_config
from ris.store.inbox import count_events
from ris.store.session import Database, upgrade_database
from ris.tinyworld.samples import make_samples
from tests.live.support.process import ServerProcess, find_free_port

COMPARED_COMMANDS = {
    "gunicorn, 16 threads": [
        "-m", "gunicorn", "--threads", "16", "--timeout", "0", "--no-control-socket", "ris.wsgi:application()"
    ],
    "ris serve": ["-m", "ris", "serve"],
}  # fmt: skip
N_HALF_SENT, N_SENDERS = 20, 4


@contextmanager
def run_compared_server(name: str, folder: Path) -> Iterator[tuple[ServerProcess, int]]:
    """Run a server on the database of the folder; yield it with its port once its networks are loaded."""
    port = find_free_port()
    command = [sys.executable, *COMPARED_COMMANDS[name]]
    if "gunicorn" in command:
        command += ["--bind", f"127.0.0.1:{port}"]
    env = {
        "RIS_DATABASE_URL": f"sqlite:///{folder / 'ris.db'}",
        "RIS_PORT": str(port),
        "RIS_LOG_LEVEL": "ERROR",
    }
    health = f"http://127.0.0.1:{port}/health"
    server = ServerProcess(name, command, env=env, health_url=health, log=folder / "log", folder=ROOT)
    server.start(timeout_s=60)
    try:
        time.sleep(8)  # until the networks are loaded, which takes a core
        yield server, port
    finally:
        server.stop()


def make_database(folder: Path) -> Path:
    """Return a new folder with an empty database: no server processes what another one left."""
    here = Path(tempfile.mkdtemp(dir=folder))
    upgrade_database(f"sqlite:///{here / 'ris.db'}")
    return here


def write_predict_script(folder: Path, port: int) -> Path:
    """Compute one task, and write wrk's script that requests it again."""
    sample = make_samples(1)[0]
    image = "data:image/png;base64," + base64.b64encode(sample.png).decode()
    task = {"id": 1, "data": {"image": image, "expression": sample.expression}}
    body = {"tasks": [task], "project": "1.1", "label_config": label_config.read("tabs_brush.xml")}
    assert call_server(f"http://127.0.0.1:{port}/predict", body)["results"][0]
    script = folder / "predict.lua"
    script.write_text(f"""
local text = {json.dumps(json.dumps(body))}
request = function()
  return wrk.format("POST", "/predict", {{["Content-Type"] = "application/json"}}, text)
end
""")
    return script


def stop_under_load(name: str, folder: Path) -> tuple[int, int, int]:
    """Stop a server while webhooks arrive; return those answered, lost of them, and not answered."""
    url = f"sqlite:///{folder / 'ris.db'}"
    answered, unanswered, numbers = [], [], itertools.count(1)
    body = make_webhook_body()

    def send(port: int) -> None:
        while True:
            number = next(numbers)
            text = body.replace("7777777", str(90_000_000 + number))
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            try:
                connection.connect()
            except OSError:
                return  # refused before anything was sent
            try:
                connection.request("POST", "/webhook", text, {"Content-Type": "application/json"})
                (answered if connection.getresponse().status in (200, 201) else unanswered).append(number)
            except (OSError, http.client.HTTPException):
                unanswered.append(number)
            connection.close()

    before = count_stored(url)
    with run_compared_server(name, folder) as (server, port):
        senders = [threading.Thread(target=send, args=(port,)) for _ in range(N_SENDERS)]
        for sender in senders:
            sender.start()
        time.sleep(2)
        assert server._process is not None
        server._process.send_signal(signal.SIGTERM)
        for sender in senders:
            sender.join()
    n_stored = count_stored(url) - before
    return len(answered), max(0, len(answered) - n_stored), len(unanswered)


def count_stored(url: str) -> int:
    """Count the events of a database."""
    database = Database.open(url)
    with database.begin() as session:
        counts = count_events(session)
    database.close()
    return sum(counts.values())


def count_health_answers(name: str, folder: Path) -> tuple[int, int]:
    """Ask /health ten times while requests are held half-sent; return the answers and the questions."""
    n_asked, n_answered = 10, 0
    with run_compared_server(name, folder) as (_, port):
        held = [socket.create_connection(("127.0.0.1", port)) for _ in range(N_HALF_SENT)]
        for one in held:
            one.sendall(b"POST /webhook HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf")
        for _ in range(n_asked):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
            try:
                connection.request("GET", "/health")
                n_answered += connection.getresponse().status == 200
            except OSError:
                pass
            connection.close()
        for one in held:
            one.close()
    return n_answered, n_asked


def wait_until_processed(folder: Path) -> None:
    """Wait until a server has processed its events, so that it takes no time from the other one."""
    database = Database.open(f"sqlite:///{folder / 'ris.db'}")
    while True:
        with database.begin() as session:
            if not count_events(session)["new"]:
                break
        time.sleep(0.2)
    database.close()


def read_cpu_s(group: int) -> float:
    """Return the seconds of CPU that the processes of a group have used."""
    ticks = 0
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = file.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended
        if int(fields[2]) == group:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def make_speed_table(
    loads: Mapping[tuple[str, int, str], Sequence[Load]], cpu_s: Mapping[tuple[str, int, str], float]
) -> Table:
    """Make the table of medians from the runs of each request, number of connections and server.

    Args:
        loads: the runs.
        cpu_s: the seconds of CPU of all runs together.
    """
    table = Table("", "connections", "server", "per second", "share of gunicorn", "p50", "p99", "CPU each")
    for (what, connections, server), found in sorted(loads.items()):
        peers = loads[what, connections, next(iter(COMPARED_COMMANDS))]
        table.add_row(
            what, str(connections), server, f"{median(load.rate for load in found):.0f}",
            f"{median(a.rate / b.rate for a, b in zip(found, peers, strict=True)):.2f}",
            f"{median(load.p50_ms for load in found):.1f} ms",
            f"{median(load.p99_ms for load in found):.1f} ms",
            f"{1000 * cpu_s[what, connections, server] / sum(load.count for load in found):.1f} ms",
        )  # fmt: skip
    return table


def main() -> None:
    """Print the two tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=10, help="duration of each run")
    parser.add_argument("--only-speed", action="store_true", help="leave out the second table")
    parser.add_argument("--turns", type=int, default=5, help="runs of each server, for each load")
    args = parser.parse_args()
    print_processor()
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is not installed: apt install wrk")
    loads: dict[tuple[str, int, str], list[Load]] = {}
    cpu_s: dict[tuple[str, int, str], float] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        webhook = write_lua_script(folder)
        with ExitStack() as stack:
            running = {}
            for server in COMPARED_COMMANDS:
                here = make_database(folder)
                started, port = stack.enter_context(run_compared_server(server, here))
                assert started._process is not None
                running[server] = here, port, write_predict_script(here, port), started._process.pid
            cases = itertools.product(range(args.turns), ("webhook", "stored prediction"), (1, 8), running)
            for _, what, connections, server in cases:
                here, port, predict, group = running[server]
                script = webhook if what == "webhook" else predict
                address = f"http://127.0.0.1:{port}"
                case, before_s = (what, connections, server), read_cpu_s(group)
                load = run_wrk(address, script, connections=connections, seconds=args.seconds)
                cpu_s[case] = cpu_s.get(case, 0.0) + read_cpu_s(group) - before_s
                loads.setdefault(case, []).append(load)
                wait_until_processed(here)
        Console(width=120).print(make_speed_table(loads, cpu_s))
        if args.only_speed:
            return
        faults = Table(
            "server", "answered until the stop", "of them lost", "not answered", "/health, half-sent"
        )
        for server in COMPARED_COMMANDS:
            n_answered, n_lost, n_unanswered = stop_under_load(server, make_database(folder))
            answers, asked = count_health_answers(server, make_database(folder))
            faults.add_row(server, str(n_answered), str(n_lost), str(n_unanswered), f"{answers} of {asked}")
        Console().print(faults)


if __name__ == "__main__":
    main()
