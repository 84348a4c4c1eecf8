"""A fake Label Studio over real HTTP: it checks keys and lists the requests that it got."""

import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LEGACY = "0123456789abcdef0123456789abcdef01234567"
PNG = b"\x89PNG a picture"


def jwt(kind, seconds):
    """An unsigned JWT with the claims that a client reads."""
    parts = [{"alg": "none"}, {"token_type": kind, "exp": int(time.time()) + seconds}]
    return (
        ".".join(base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") for p in parts) + ".eA"
    )


class FakeStudio(ThreadingHTTPServer):
    """Sends images and API answers to callers with the key; `asked` lists every request.

    Args:
        sub_path: what it is served under: everything else is not there.
        tls: a context with a certificate for localhost; None speaks plain HTTP.
    """

    def __init__(self, *, allowed=(f"Token {LEGACY}",), sub_path="", tls=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.allowed, self.asked, self.redirects = set(allowed), [], {}
        self.sub_path, self.tls = sub_path, tls
        self.access_lifetime_s, self.refresh_answer = 300, None
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        host = "https://localhost" if self.tls else "http://127.0.0.1"
        return f"{host}:{self.server_port}{self.sub_path}"

    def handle_error(self, request, client_address):
        """Ignore callers that do not trust our certificate."""


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_POST(self):
        length = int(self.headers.get("Content-Length") or 0)
        sent = self.rfile.read(length)
        self.server.asked.append((self.path, self.headers.get("Authorization")))
        if self.path in self.server.redirects:
            return self.redirect(307)
        if self.path.startswith(f"{self.server.sub_path}/api/token/refresh"):
            if self.server.refresh_answer:
                return self.answer(*self.server.refresh_answer)
            access = jwt("access", self.server.access_lifetime_s)
            self.server.allowed.add(f"Bearer {access}")
            return self.answer(200, json.dumps({"access": access}).encode())
        told = {"id": 7, "sent": len(sent), "file_upload_ids": [5]}
        return self.guarded(lambda: self.answer(201, json.dumps(told).encode()))

    def do_GET(self):
        self.server.asked.append((self.path, self.headers.get("Authorization")))
        if self.path in self.server.redirects:
            return self.redirect(302)
        return self.guarded(self.picture)

    def redirect(self, status):
        self.send_response(status)
        self.send_header("Location", self.server.redirects[self.path])
        self.send_header("Content-Length", "0")
        return self.end_headers()

    def guarded(self, then):
        if not self.path.startswith(f"{self.server.sub_path}/"):
            return self.answer(404, b"<html>another site</html>")
        if self.headers.get("Authorization") not in self.server.allowed:
            return self.answer(401, b'{"detail": "no"}')
        return then()

    def picture(self):
        if "missing" in self.path:
            return self.answer(404, b"{}")
        if "broken" in self.path:
            return self.answer(500, b"{}")
        if "large" in self.path:
            return self.answer(200, b"x" * 5000)
        if "/api/html" in self.path:
            return self.answer(200, b"<html>log in</html>")
        if self.path.endswith("/api/import/file-upload/5"):
            return self.answer(200, b'{"file": "upload/1/5-a.png"}')
        if "/api/" in self.path:
            return self.answer(200, b'{"release": "1.23.2", "tasks": [], "total": 0}')
        return self.answer(200, PNG)

    def answer(self, status, content):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
