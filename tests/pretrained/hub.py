"""A small Hugging Face Hub with a web server beside it: digests, ranges, connections that break."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Hub:
    """The files of a small Hub, and the requests that it got.

    Attributes:
        files: by path: "owner/name/file" for files of the Hub and "file" for files of the web.
        breaks_after: the first response for each path ends after this number of bytes; None for no such end.
        asked: method, path and first byte of every request.
        keys: the header Authorization of every request.
        moved_to: the address of a server that requests for files are redirected to; "" answers them.
    """

    files: dict[str, bytes]
    revision: str = "0" * 40
    breaks_after: int | None = None
    asked: list[tuple[str, str, int]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    moved_to: str = ""
    broken: set[str] = field(default_factory=set)
    url: str = ""

    def siblings(self, repository: str) -> list[dict[str, object]]:
        found = []
        for path, data in self.files.items():
            if path.startswith(f"{repository}/"):
                name = path.removeprefix(f"{repository}/")
                large = name.endswith((".safetensors", ".bin"))
                lfs = {"sha256": digest(data), "size": len(data), "pointerSize": 100} if large else None
                found.append({"rfilename": name, "size": len(data), "lfs": lfs})
        return found


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self) -> None:
        path = self.path.split("?")[0].strip("/")
        first = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").split("-")[0])
        self.hub.asked.append((self.command, path, first))
        self.hub.keys.append(self.headers.get("Authorization"))
        if path.startswith("api/models/"):
            repository = path.removeprefix("api/models/").split("/revision/")[0]
            body = json.dumps(
                {"id": repository, "sha": self.hub.revision, "siblings": self.hub.siblings(repository)}
            )
            return self._send(body.encode(), 0, {})
        name = path.replace(f"resolve/{self.hub.revision}/", "")
        data = self.hub.files.get(name)
        if data is None:
            return self._send(b"no such file", 0, {}, status=404)
        etag = f'"{digest(data)}"'
        if self.hub.moved_to:
            place = {"Location": f"{self.hub.moved_to}/{path}", "X-Repo-Commit": self.hub.revision}
            linked = {"X-Linked-Etag": etag, "X-Linked-Size": str(len(data))}
            return self._send(b"", 0, place | linked, status=307)
        self._send(
            data,
            first,
            {"ETag": etag, "X-Repo-Commit": self.hub.revision, "Accept-Ranges": "bytes"},
            name=name,
        )

    def _send(
        self, data: bytes, first: int, headers: dict[str, str], *, status: int = 200, name: str = ""
    ) -> None:
        if first >= len(data) > 0:
            status, body = 416, b""
        else:
            status, body = (206 if first else status), data[first:]
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        if status == 206:
            self.send_header("Content-Range", f"bytes {first}-{len(data) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if self.hub.breaks_after is not None and name and name not in self.hub.broken:
            self.hub.broken.add(name)
            self.wfile.write(body[: self.hub.breaks_after])
            self.close_connection = True
            return
        self.wfile.write(body)


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    handler = type("OfHub", (Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
