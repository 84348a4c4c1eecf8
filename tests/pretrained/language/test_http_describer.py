"""The HTTP describer against a server of its own that behaves, misbehaves and counts."""

import base64
import io
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from PIL import Image as Pillow

from ris.core.types import Image
from ris.errors import DescriberError
from ris.pretrained.language.http_describer import HttpDescriber


class Endpoint(ThreadingHTTPServer):
    """Chat completions: answers with the prompt in capitals; first `refusals`, one status each."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.refusals, self.body, self.asked, self.keys = [], None, [], []
        self.moved_to = ""
        self.open = self.most_open = 0
        self.lock, self.gate = threading.Lock(), threading.Event()
        self.gate.set()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/v1"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        server = self.server
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with server.lock:
            server.asked.append((self.path, question))
            server.keys.append(self.headers["Authorization"])
            server.open += 1
            server.most_open = max(server.most_open, server.open)
            status = server.refusals.pop(0) if server.refusals else 200
        server.gate.wait()
        text = question["messages"][0]["content"][1]["text"].upper()
        body = server.body or json.dumps({"choices": [{"message": {"content": text}}]})
        with server.lock:
            server.open -= 1
        self.send_response(status)
        if server.moved_to:
            self.send_header("Location", server.moved_to)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *arguments):
        pass


@pytest.fixture
def endpoint():
    server = Endpoint()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def pauses():
    return []


@pytest.fixture
def describer(endpoint, pauses):
    return HttpDescriber(endpoint.url, model="llava", key="sesame", timeout_s=20, pause=pauses.append)


def picture(size=(1000, 2000)):
    return Image.from_pixels(np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8))


def test_answers_come_in_the_order_of_the_prompts(describer):
    assert describer.describe("d", describer.look(picture()), ["one", "two", "three"]) == [
        "ONE", "TWO", "THREE",
    ]  # fmt: skip


def test_a_question_names_the_model_and_carries_the_key_and_a_small_jpeg(describer, endpoint):
    describer.describe("d", describer.look(picture()), ["what?"])

    ((path, question),) = endpoint.asked
    url = question["messages"][0]["content"][0]["image_url"]["url"]
    sent = Pillow.open(io.BytesIO(base64.b64decode(url.removeprefix("data:image/jpeg;base64,"))))
    assert (path, question["model"], endpoint.keys) == ("/v1/chat/completions", "llava", ["Bearer sesame"])
    assert (sent.format, sent.size) == ("JPEG", (768, 384))


def test_without_a_key_none_is_sent(endpoint):
    HttpDescriber(endpoint.url, model="m").describe("d", np.zeros(3, np.uint8), ["what?"])

    assert endpoint.keys == [None]


def test_a_refusal_that_may_pass_is_tried_again_after_longer_and_longer_pauses(describer, endpoint, pauses):
    endpoint.refusals = [503, 429]

    assert describer.describe("d", np.zeros(3, np.uint8), ["what?"]) == ["WHAT?"]
    assert pauses == [1.0, 2.0]


def test_a_refusal_that_stays_is_told_with_its_status(describer, endpoint, pauses):
    endpoint.refusals = [500, 500, 500]

    with pytest.raises(DescriberError, match="answered 500 for model 'llava'"):
        describer.describe("d", np.zeros(3, np.uint8), ["what?"])
    assert len(endpoint.asked) == 3


def test_a_wrong_key_is_not_tried_again(describer, endpoint):
    endpoint.refusals = [401]

    with pytest.raises(DescriberError, match="answered 401"):
        describer.describe("d", np.zeros(3, np.uint8), ["what?"])
    assert len(endpoint.asked) == 1


def test_an_endpoint_that_is_not_there_is_told(pauses):
    describer = HttpDescriber("http://127.0.0.1:1/v1", model="m", pause=pauses.append)

    with pytest.raises(DescriberError, match="cannot be reached"):
        describer.describe("d", np.zeros(3, np.uint8), ["what?"])
    assert pauses == [1.0, 2.0]


@pytest.mark.parametrize(
    "body",
    ["hello", "{}", '{"choices": []}', '{"choices": [{"message": 3}]}', "[1]", "null", "<html>", "[" * 10**5,
     '{"choices": [{"message": {"content": 5}}]}', '{"choices": [{"message": {"content": "\\ud800"}}]}',
     '{"choices": [null]}', '{"choices": {"0": {}}}'],
)  # fmt: skip
def test_an_answer_that_is_no_completion_is_told(describer, endpoint, body):
    endpoint.body = body

    with pytest.raises(DescriberError, match="is no chat completion"):
        describer.describe("d", np.zeros(3, np.uint8), ["what?"])


def test_an_answer_without_end_is_left(describer, endpoint):
    endpoint.body = " " * (5 * 2**20)

    with pytest.raises(DescriberError, match="sends more than 4 MiB"):
        describer.describe("d", np.zeros(3, np.uint8), ["what?"])


def test_an_answer_without_words_is_empty(describer, endpoint):
    endpoint.body = '{"choices": [{"message": {"content": null}}]}'

    assert describer.describe("d", np.zeros(3, np.uint8), ["what?"]) == [""]


def test_at_most_so_many_questions_are_open_at_once(endpoint):
    endpoint.gate.clear()
    describer = HttpDescriber(endpoint.url, model="m", concurrency=2)

    def open_once_two_are_there():
        while endpoint.open < 2:
            time.sleep(0.01)
        endpoint.gate.set()

    threading.Thread(target=open_once_two_are_there).start()
    describer.describe("d", np.zeros(3, np.uint8), [str(i) for i in range(7)])

    assert endpoint.most_open == 2


def test_an_endpoint_that_is_too_slow_is_told(endpoint, pauses):
    endpoint.gate.clear()
    describer = HttpDescriber(endpoint.url, model="m", timeout_s=0.1, pause=pauses.append)

    with pytest.raises(DescriberError, match="cannot be reached \\(ReadTimeout\\)"):
        describer.describe("d", np.zeros(3, np.uint8), ["what?"])
    endpoint.gate.set()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_neither_the_image_nor_the_key_follows_a_redirect(describer, endpoint, status):
    endpoint.refusals, endpoint.moved_to = [status], f"{endpoint.url}/elsewhere"

    with pytest.raises(DescriberError, match="redirects to .*/v1/elsewhere, and neither image nor key"):
        describer.describe("d", describer.look(picture()), ["what?"])
    assert len(endpoint.asked) == 1
