"""A server with OpenAI's chat completions that looks at the pictures it is sent, and errs at set rates.

It answers from the truth of the scenes that it was told, and finds the coloured shapes of the probe itself.
What it does with a question depends on the question alone, so that a test gives the same answers each time.
"""

import base64
import hashlib
import io
import json
import random
import threading
from dataclasses import dataclass, fields
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
from PIL import Image as Pillow

from ris.evaluation.tinyworld.drawn_model import find_marks, resize_picture
from tests.builders.vlm_answers import write_answer

COLOURS = {
    "red": (220, 30, 30), "green": (30, 160, 50), "blue": (30, 60, 220), "yellow": (240, 220, 20),
    "magenta": (220, 30, 220), "black": (10, 10, 10),
}  # fmt: skip


@dataclass(frozen=True)
class Errors:
    """How often, of all questions, the server does something else than to answer rightly."""

    shifted: float = 0
    swapped: float = 0
    wrong: float = 0
    none: float = 0
    prose: float = 0
    cut: float = 0
    too_many: float = 0
    failing: float = 0

    def draw(self, rng):
        drawn = rng.random()
        for field in fields(self):
            drawn -= getattr(self, field.name)
            if drawn < 0:
                return field.name
        return "right"


@dataclass(frozen=True)
class Scene:
    """A picture, small, with the boxes of its expressions and of all its things, in shares of the sides."""

    thumbnail: np.ndarray
    boxes: dict
    things: tuple
    pixels: np.ndarray = None


class VlmServer(ThreadingHTTPServer):
    """The server. Change its attributes at any time.

    `family` is its dialect, `errors` its rates. `refusals` are statuses of the next answers. `body` replaces
    all bodies. `distort(box, sent)` changes every box, in shares of the sides.
    """

    daemon_threads = True

    def __init__(self, family="qwen3-vl", errors=Errors()):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.family, self.errors, self.scenes = family, errors, []
        self.refusals, self.body, self.headers, self.delay_s = [], None, {}, 0.0
        self.takes_schema, self.says = True, None
        self.distort = lambda box, sent: box
        self.asked, self.keys, self.paths = [], [], []
        self.open = self.most_open = 0
        self.lock, self.gate = threading.Lock(), threading.Event()
        self.gate.set()

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error):
        self.shutdown()
        self.server_close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/v1"

    def tell(self, pixels, boxes, things=()):
        """Tell a scene: boxes by expression, and of all things, XYXY in pixels. An expression may have []."""
        height, width = pixels.shape[:2]

        def to_shares(box):
            return tuple(side / (width, height)[i % 2] for i, side in enumerate(box))

        told = {text: [to_shares(box) for box in found] for text, found in boxes.items()}
        self.scenes.append(Scene(make_thumbnail(pixels), told, tuple(map(to_shares, things)), pixels))

    def answer(self, question):
        """Return status and text of the answer to a parsed question."""
        image, text = question["messages"][0]["content"]
        data = base64.b64decode(image["image_url"]["url"].removeprefix("data:image/jpeg;base64,"))
        prompt = text["text"]
        rng = random.Random(hashlib.sha256(data + prompt.encode()).hexdigest())
        outcome = self.errors.draw(rng)
        if outcome in ("too_many", "failing"):
            return (429 if outcome == "too_many" else rng.choice((500, 502, 503))), ""
        if self.says is not None:
            return 200, self.says(prompt)
        if outcome == "prose":
            return 200, "It stands a little to the left, next to the other one."
        if "numbered from 1" in prompt:
            return 200, self._choose(outcome, data, prompt, rng)
        boxes = self._err(outcome, *self._find(data, prompt), rng)
        sent = decode(data).shape[:2]
        answer = write_answer(self.family, [self.distort(box, sent) for box in boxes], sent)
        return 200, answer[: len(answer) // 2] if outcome == "cut" else answer

    def _find(self, data, prompt):
        """Find what a prompt asks for, and the other things of its picture."""
        colours = [name for name in COLOURS if f" {name} " in f" {prompt} ".replace('"', " ")]
        if not self.scenes:
            there = find_colours(data)
            return (
                [box for name, box in there.items() if name in colours],
                [box for name, box in there.items() if name not in colours],
            )
        seen = make_thumbnail(decode(data))
        scene = min(self.scenes, key=lambda one: np.abs(one.thumbnail - seen).sum())
        known = max((text for text in scene.boxes if text in prompt), key=len, default=None)
        boxes = scene.boxes[known] if known is not None else []
        return boxes, [box for box in scene.things if box not in boxes]

    def _choose(self, outcome, data, prompt, rng):
        """Say which mark is on what a prompt asks for; an error says that another one is, or none."""
        seen = decode(data)
        scene = min(self.scenes, key=lambda one: np.abs(one.thumbnail - make_thumbnail(seen)).sum())
        marks = find_marks(seen, resize_picture(scene.pixels, seen.shape[:2]))
        boxes, _ = self._find(data, prompt)
        overlaps = {number: max((iou(box, b) for b in boxes), default=0) for number, box in marks.items()}
        right = max(overlaps, key=overlaps.get, default=0)
        right = right if overlaps.get(right, 0) > 0.5 else 0
        if outcome == "none":
            return "0"
        wrong = [number for number in (0, *marks) if number != right]
        return str(rng.choice(wrong) if outcome in ("wrong", "shifted", "swapped") and wrong else right)

    def _err(self, outcome, boxes, others, rng):
        if outcome == "none":
            return []
        if outcome == "wrong":
            return [rng.choice(others)] if others else []
        if outcome == "swapped":
            return [(y1, x1, y2, x2) for x1, y1, x2, y2 in boxes]
        if outcome == "shifted":
            return [shift_box(box, rng) for box in boxes]
        return boxes


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        server = self.server
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with server.lock:
            server.asked.append(question)
            server.paths.append(self.path)
            server.keys.append(self.headers["Authorization"])
            server.open += 1
            server.most_open = max(server.most_open, server.open)
            status = server.refusals.pop(0) if server.refusals else 200
        server.gate.wait()
        if server.delay_s:
            threading.Event().wait(server.delay_s)
        if status == 200 and "response_format" in question and not server.takes_schema:
            status = 400
        text = ""
        if status == 200 and server.body is None:
            status, text = server.answer(question)
        whole = {
            "choices": [{"message": {"content": text}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 100, "completion_tokens": len(text) // 4},
        }
        with server.lock:
            server.open -= 1
        self.send_response(status)
        for name, value in server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write((json.dumps(whole) if server.body is None else server.body).encode())

    def log_message(self, *arguments):
        pass


def make_thumbnail(pixels):
    small = Pillow.fromarray(np.ascontiguousarray(pixels)).resize((16, 16), Pillow.Resampling.BOX)
    return np.asarray(small, np.float32)


@lru_cache(maxsize=16)
def decode(data):
    return np.asarray(Pillow.open(io.BytesIO(data)).convert("RGB"))


@lru_cache(maxsize=64)
def find_colours(data):
    pixels = decode(data).astype(np.int16)
    places = {name: find_colour(pixels, colour) for name, colour in COLOURS.items()}
    return {name: box for name, box in places.items() if box}


def iou(one, two):
    width = min(one[2], two[2]) - max(one[0], two[0])
    height = min(one[3], two[3]) - max(one[1], two[1])
    inside = max(width, 0) * max(height, 0)
    return inside / (sum((b[2] - b[0]) * (b[3] - b[1]) for b in (one, two)) - inside)


def find_colour(pixels, colour):
    """The box of all pixels near a colour, in shares of the sides; None without any."""
    near = (np.abs(pixels - np.array(colour, np.int16)).max(-1) < 50).nonzero()
    if len(near[0]) < 12:
        return None
    height, width = pixels.shape[:2]
    rows, columns = near
    y1, x1, y2, x2 = rows.min(), columns.min(), rows.max() + 1, columns.max() + 1
    return (x1 / width, y1 / height, x2 / width, y2 / height)


def shift_box(box, rng):
    """Move a box by its own size, inside of the picture."""
    x1, y1, x2, y2 = box
    dx, dy = rng.choice((-1, 1)) * (x2 - x1), rng.choice((-1, 1)) * (y2 - y1)
    dx, dy = min(max(dx, -x1), 1 - x2), min(max(dy, -y1), 1 - y2)
    return (x1 + dx, y1 + dy, x2 + dx, y2 + dy)
