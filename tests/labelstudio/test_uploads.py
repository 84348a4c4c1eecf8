"""Uploads to a fake Label Studio that stores files as the real one does, over real HTTP."""

import email.parser
import email.policy
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ris.errors import LabelStudioError
from ris.labelstudio.api.client import LabelStudioClient

TWO_KEYS = "Your label config has more than one data key and direct file upload supports only one data key."


class Studio(ThreadingHTTPServer):
    """Stores uploads under names of its own; with `two_keys` it answers 400 and stores them all the same."""

    def __init__(self, *, two_keys, path=""):
        super().__init__(("127.0.0.1", 0), Handler)
        self.two_keys, self.files, self.n_listed = two_keys, {}, 0
        self.url = f"http://127.0.0.1:{self.server_port}{path}"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        message = email.parser.BytesParser(policy=email.policy.default).parsebytes(head + body)
        (part,) = message.iter_parts()
        number = len(self.server.files) + 1
        name = re.sub(r"[^-\w.]", "", part.get_filename().replace(" ", "_"))
        stored = f"{number:08x}-{name}"
        self.server.files[number] = (stored, part.get_payload(decode=True))
        if stored.endswith(".xyz"):
            return self.answer(400, {"detail": ".xyz extension is not supported"})
        if self.server.two_keys:
            text = f"Failed to parse input file {stored}: {TWO_KEYS}"
            return self.answer(400, {"status_code": 400, "validation_errors": {"non_field_errors": [text]}})
        return self.answer(201, {"file_upload_ids": [number]})

    def do_GET(self):
        if "/api/import/file-upload/" in self.path:
            return self.answer(
                200, {"file": f"upload/3/{self.server.files[int(self.path.split('/')[-1])][0]}"}
            )
        self.server.n_listed += 1
        listed = [{"id": i, "file": f"upload/3/{name}"} for i, (name, _) in self.server.files.items()]
        return self.answer(200, listed)

    def do_DELETE(self):
        for number in json.loads(self.rfile.read(int(self.headers["Content-Length"])))["file_upload_ids"]:
            del self.server.files[number]
        return self.answer(200, {"deleted": 1})

    def answer(self, status, content):
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


NAMES = (
    "plain.png",
    "left owl (1).png",
    "сцена №2.png",
    "a b.png",
    "a_b.png",
    "O'Hara, q+.png",
    "50% #1?.png",
)


@pytest.mark.parametrize("two_keys", [True, False])
@pytest.mark.parametrize("path", ["", "/label-studio"])
def test_every_upload_is_its_own_picture_whatever_its_name_is(two_keys, path):
    studio = Studio(two_keys=two_keys, path=path)
    client = LabelStudioClient(studio.url, None)
    try:
        stored = {name: client.upload(3, name, name.encode()) for name in NAMES}
        kept = {f"{path}/data/upload/3/{name}": data for name, data in studio.files.values()}

        assert {name: kept[reference].decode() for name, reference in stored.items()} == dict(
            zip(NAMES, NAMES, strict=True)
        )
        assert studio.n_listed == 0  # no listing of all files for each of them

        client.remove_uploads(3, [stored["a b.png"], stored["plain.png"]])

        assert len(studio.files) == len(NAMES) - 2
        assert [data for _, data in studio.files.values() if data == b"a_b.png"]
    finally:
        studio.shutdown()
        studio.server_close()


def test_another_refusal_is_told_in_label_studios_words():
    studio = Studio(two_keys=True)
    try:
        with pytest.raises(
            LabelStudioError, match=r"answered 400 to POST .*\.xyz extension is not supported"
        ):
            LabelStudioClient(studio.url, None).upload(3, "a.xyz", b"x")
    finally:
        studio.shutdown()
        studio.server_close()
