"""A proxy between Label Studio and the backend that does to webhooks what networks do."""

import contextlib
import random
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

FAULTS = ("drop", "lose the answer", "delay", "duplicate", "reorder", "500", "none")
TIMEOUT_S = 5.0


class FaultyProxy:
    """Passes everything on to a backend; webhooks meet a fault each, drawn from a seed. A context manager.

    Args:
        target: the backend.
        seed: of the faults.
    """

    def __init__(self, target, seed):
        self.target, self.rng = target, random.Random(seed)
        self.to_device, self.met = False, Counter()
        self._held, self._lock, self._late = [], threading.Lock(), []
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self._pass_on(b"")

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if proxy.to_device and self.path == "/webhook":
                    self._mistreat(body, proxy.fault())
                else:
                    self._pass_on(body)

            def _pass_on(self, body):
                try:
                    answer = httpx.request(
                        self.command, proxy.target + self.path, content=body or None, timeout=120,
                        headers={"Content-Type": self.headers.get("Content-Type", "application/json")},
                    )  # fmt: skip
                except httpx.HTTPError:
                    return self._say(502, b"")
                return self._say(answer.status_code, answer.content)

            def _mistreat(self, body, fault):
                if fault == "drop":
                    self.close_connection = True
                elif fault == "500":
                    self._say(500, b"")
                elif fault == "lose the answer":
                    proxy.deliver(body)
                    self.close_connection = True
                elif fault == "delay":
                    proxy.later(body, proxy.rng.uniform(0.5, 3))
                    self._say(200, b"{}")
                elif fault == "reorder":
                    proxy.hold(body)
                    self._say(200, b"{}")
                else:
                    proxy.deliver(body)
                    if fault == "duplicate":
                        proxy.deliver(body)
                    self._say(200, b"{}")
                    proxy.release()

            def _say(self, status, content):
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def fault(self):
        with self._lock:
            fault = self.rng.choice(FAULTS)
            self.met[fault] += 1
            return fault

    def deliver(self, body):
        """Hand on; a backend that is dead takes nothing, and nobody hears of it."""
        with contextlib.suppress(httpx.HTTPError):
            httpx.post(
                f"{self.target}/webhook", content=body, headers={"Content-Type": "application/json"},
                timeout=TIMEOUT_S,
            )  # fmt: skip

    def later(self, body, after_s):
        timer = threading.Timer(after_s, self.deliver, [body])
        timer.start()
        self._late.append(timer)

    def hold(self, body):
        with self._lock:
            self._held.append(body)

    def release(self):
        """What was held back comes after what was sent later, the last first."""
        with self._lock:
            held, self._held = self._held[::-1], []
        for body in held:
            self.deliver(body)

    def settle(self):
        """Until all that is late has come, or is lost."""
        for timer in self._late:
            timer.join(timeout=10)
        self.release()
        time.sleep(0.5)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
