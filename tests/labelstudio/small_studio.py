"""A small Label Studio, in memory and over HTTP, one answer of which can be replaced by an odd one."""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from ris.errors import LabelStudioMissing
from ris.label_config import read
from ris.labelstudio.api.connecting import MLBackend
from tests.builders.task_lists import list_tasks

OURS = MLBackend("http://127.0.0.1:9090")
N_TASKS = 130
MOMENT = "2026-01-01T00:00:00.123456Z"
PROJECT = {
    "id": 3, "created_at": "2023-11-14T22:13:20.5Z", "title": "mugs", "label_config": read("pick_brush.xml"),
    "show_collab_predictions": True, "model_version": "ris",
}  # fmt: skip
ANNOTATION = {
    "id": 1, "updated_at": MOMENT, "created_at": MOMENT, "was_cancelled": True, "result": [],
    "completed_by": 1, "parent_prediction": None,
}  # fmt: skip
PREDICTION = {"id": 1, "model_version": "v", "result": [{"id": "ris-1"}]}
BACKEND = {"id": 1, "url": OURS.url, "title": "ris", "state": "CO", "is_interactive": False}
HOOK = {
    "id": 1, "url": f"{OURS.url}/webhook", "is_active": True, "send_payload": True,
    "send_for_all_actions": True, "headers": {},
}  # fmt: skip


def make_task(number):
    return {
        "id": number, "project": 3, "data": {"image": "/data/upload/3/a.png", "expression": f"mug {number}"},
        "annotations": [ANNOTATION | {"id": number}] if number <= 3 else [], "total_predictions": 1,
        "predictions": [PREDICTION | {"id": number}], "drafts": [],
        "updated_at": MOMENT,
    }  # fmt: skip


ROUTES = {
    r"GET /api/version": {"release": "1.23.2"},
    r"GET /api/current-user/whoami": {"email": "a@example.com"},
    r"(GET|PATCH) /api/projects/3": PROJECT,
    r"GET /api/ml": [BACKEND],
    r"GET /api/webhooks/": [HOOK],
    r"GET /api/predictions": [PREDICTION],
    r"GET /api/annotations/[123]/": ANNOTATION,
    r"POST /api/projects/3/import": {"task_count": 1, "file_upload_ids": [5]},
    r"GET /api/import/file-upload/5": {"id": 5, "file": "upload/3/a.png"},
    r"POST /api/projects/3/import/predictions": {"created": 1},
    r"GET /api/projects/3/file-uploads": [],
    r"(PATCH|POST) /api/(ml|webhooks)/.*": {"id": 1},
    r"GET /health": {"status": "UP"},
}


def answer(method, path, params):
    """Return the JSON that Label Studio answers; None if it has nothing there."""
    if (method, path) == ("GET", "/api/tasks"):
        everything = {"fields": "all", **{k: v for k, v in params.items() if k != "fields"}}
        return list_tasks([make_task(number) for number in range(1, N_TASKS + 1)], everything)
    call = f"{method} {path}"
    return next((found for route, found in ROUTES.items() if re.fullmatch(route, call)), None)


class SmallStudio:
    """The API in memory.

    Args:
        change: gets a call such as "GET /api/ml", its parameters and the sane answer; returns the answer.
    """

    def __init__(self, change=lambda call, params, sane: sane):
        self.change, self.calls = change, []

    def call(self, method, path, body=None, **params):
        self.calls.append(f"{method} {path}")
        found = answer(method, path, params)
        if found is None:
            raise LabelStudioMissing(f"Label Studio answered 404 to {method} {path}")
        return self.change(f"{method} {path}", params, json.loads(json.dumps(found)))

    def exists(self, path):
        return answer("GET", path, {}) is not None


class OddStudio(ThreadingHTTPServer):
    """The API over HTTP.

    Args:
        send: gets the handler, the call, its parameters and the sane answer; True if it sent another one.
    """

    daemon_threads = True

    def __init__(self, send=lambda handler, call, params, sane: False):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.send, self.calls = send, []
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request, client_address):
        """Ignore callers that leave before the end."""


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def handle_call(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        params = {name: values[0] for name, values in parse_qs(parts.query).items()}
        call = f"{self.command} {parts.path}"
        self.server.calls.append(call)
        sane = answer(self.command, parts.path, params)
        if not self.server.send(self, call, params, sane):
            self.answer(
                404 if sane is None else 200, json.dumps({"detail": "Not found."} if sane is None else sane)
            )

    do_GET = do_POST = do_PATCH = do_DELETE = handle_call  # noqa: N815

    def answer(self, status, content, **headers):
        """Send an answer; `headers` are written with _ for -."""
        data = content if isinstance(content, bytes) else content.encode()
        self.send_response(status)
        for name, value in {"Content_Length": str(len(data)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)
