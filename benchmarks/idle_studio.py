"""A Label Studio in which nobody has changed anything since the last sync, for `benchmarks.growth`."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

from ris.labelstudio.fields import find_project_number
from ris.store.history import find_project_keys
from ris.store.session import Database
from ris.store.sync_states import SyncPosition, save_sync_position

API_KEY = "0" * 40
_WATERMARK = datetime(2026, 1, 1, tzinfo=UTC)
_LABEL_CONFIG = "<View/>"
_PROJECT = {"created_at": "2023-11-14T22:13:20Z", "label_config": _LABEL_CONFIG}  # key: number.1700000000
_NO_TASKS = {"tasks": [], "total": 0}


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path = urlsplit(self.path).path.rstrip("/")
        answer: object = []
        if path == "/api/tasks":
            answer = _NO_TASKS
        elif path.startswith("/api/projects/"):
            answer = _PROJECT | {"id": int(path.rsplit("/", 1)[1])}
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextmanager
def run_idle_studio() -> Iterator[str]:
    """Run the server in a thread, and yield its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def save_idle_positions(url: str) -> None:
    """Store that every project of a database was synced just now, with this Label Studio."""
    config_digest = hashlib.sha256(_LABEL_CONFIG.encode()).hexdigest()
    digest = hashlib.sha256(json.dumps([0]).encode()).hexdigest()  # of no tasks
    database = Database.open(url)
    try:
        with database.begin() as session:
            for key in find_project_keys(session):
                number = find_project_number(key)
                assert number is not None
                at = datetime.now(UTC)
                save_sync_position(session, number, SyncPosition(key, _WATERMARK, digest, config_digest, at))
    finally:
        database.close()
