"""Images are uploaded once a file, and those that cannot be used are named with the reason."""

import io

import pytest
from PIL import Image

from ris import config
from ris.cli.uploads import ImageUploads
from ris.errors import LabelStudioError


class Client:
    """Takes uploads, and removes them unless it fails."""

    def __init__(self):
        self.uploaded, self.removed, self.fails = [], set(), False

    def upload(self, number, name, data):
        self.uploaded.append(name)
        return f"/data/upload/{number}/{name}"

    def remove_uploads(self, number, files):
        if self.fails:
            raise LabelStudioError("Label Studio does not answer")
        self.removed |= files


@pytest.fixture
def client():
    return Client()


@pytest.fixture
def uploads(client):
    return ImageUploads(client, 3, config.read_settings())


@pytest.fixture
def picture(tmp_path):
    file = io.BytesIO()
    Image.new("RGB", (14, 9)).save(file, "PNG")
    (tmp_path / "a.png").write_bytes(file.getvalue())
    return tmp_path / "a.png"


def test_a_file_of_two_names_is_uploaded_once(client, uploads, picture):
    uploads.add("a", picture, None)
    uploads.add("b", picture, None)
    uploads.add("c", picture, "/data/upload/3/there.png")

    assert client.uploaded == ["a.png"]
    assert uploads.stored == {
        "a": "/data/upload/3/a.png", "b": "/data/upload/3/a.png", "c": "/data/upload/3/there.png",
    }  # fmt: skip
    assert uploads.sizes == dict.fromkeys("abc", (9, 14))


def test_what_is_no_image_has_a_reason_and_is_not_uploaded(client, uploads, tmp_path):
    (tmp_path / "b.png").write_bytes(b"no picture")
    uploads.add("b", tmp_path / "b.png", None)
    uploads.add("gone", tmp_path / "gone.png", None)

    assert client.uploaded == []
    assert uploads.reasons.keys() == {"b", "gone"}
    assert all(reason.startswith("its image cannot be used: ") for reason in uploads.reasons.values())


def test_what_no_task_shows_is_removed_and_a_failure_hides_no_error(client, uploads, picture):
    uploads.add("a", picture, None)

    uploads.remove_unused({"/data/upload/3/a.png"})
    assert client.removed == set()
    uploads.remove_unused(set())
    assert client.removed == {"/data/upload/3/a.png"}
    client.fails = True
    uploads.remove_unused(set())
