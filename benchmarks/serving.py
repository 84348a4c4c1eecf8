"""Measure a server as Label Studio uses it: `python -m benchmarks.serving`.

Seconds until healthy and until the networks are loaded, a new task, a further expression on a seen image, and
the server's memory. The image is sent as a data: URI, so no Label Studio is needed.
"""

import argparse
import base64
import json
import statistics
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.processor import print_processor
from ris import label_config
from ris.tinyworld.samples import make_samples
from tests.live.support.backend_server import BackendServer

_LABEL_CONFIG = label_config.read("tabs_brush.xml")
N_IMAGES = 5
_EXPRESSIONS = ("the left one", "the red thing", "the biggest dog", "second from the right")


def call_server(url: str, body: object = None) -> Any:
    """Request a URL, with a JSON body or none; return the JSON of the answer."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=120) as answer:
        return json.load(answer)


def is_ready(server: BackendServer) -> bool:
    """Return whether the networks are loaded."""
    try:
        return bool(call_server(f"{server.url}/health/ready"))
    except urllib.error.HTTPError:  # 503 while the networks load
        return False


def measure_predict_s(server: BackendServer, task_id: int, png: bytes, expression: str) -> float:
    """Measure one /predict in seconds."""
    image = "data:image/png;base64," + base64.b64encode(png).decode()
    task = {"id": task_id, "data": {"image": image, "expression": expression}}
    started = time.perf_counter()
    answer = call_server(
        f"{server.url}/predict", {"tasks": [task], "project": "1.1", "label_config": _LABEL_CONFIG}
    )
    assert len(answer["results"][0]) > 0
    return time.perf_counter() - started


def measure_memory_mb(server: BackendServer) -> float:
    """Measure the resident memory of the server's worker process in MB: the largest of its group."""
    process = server._server._process
    assert process is not None
    group = [p for p in Path("/proc").glob("[0-9]*") if _read_group(p) == process.pid]
    return max(int((p / "statm").read_text().split()[1]) * 4096 / 1e6 for p in group)


def _read_group(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[2])
    except (FileNotFoundError, ProcessLookupError):
        return -1


def main() -> None:
    """Print the table."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    print_processor()
    samples = make_samples(N_IMAGES)
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        with BackendServer(Path(folder), "http://127.0.0.1:1") as server:
            healthy = time.perf_counter() - started
            while not is_ready(server):
                time.sleep(0.05)
            loaded = time.perf_counter() - started
            measure_predict_s(server, 1, samples[0].png, "warm up")
            new = [measure_predict_s(server, 10 + i, s.png, s.expression) for i, s in enumerate(samples[1:])]
            further = [
                measure_predict_s(server, 100 + 10 * i + j, s.png, words)
                for i, s in enumerate(samples[1:])
                for j, words in enumerate(_EXPRESSIONS)
            ]
            memory = measure_memory_mb(server)
    table = Table("what", "median", "worst", title="ris serve, preset tiny")
    table.add_row("healthy after (with the creation of the database)", f"{healthy:.2f} s", "")
    table.add_row("networks loaded after", f"{loaded:.2f} s", "")
    table.add_row("new task", f"{statistics.median(new):.2f} s", f"{max(new):.2f} s")
    table.add_row(
        "further expression, image seen", f"{statistics.median(further):.3f} s", f"{max(further):.3f} s"
    )
    table.add_row("memory of the server", f"{memory:.0f} MB", "")
    Console().print(table)


if __name__ == "__main__":
    main()
