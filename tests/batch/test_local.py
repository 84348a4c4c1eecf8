import io

import pytest
from PIL import Image as Pillow

from ris.batch.local import load_folder_fetcher
from ris.core.types import Task
from ris.errors import ImageUnreachable


class Elsewhere(Exception):
    pass


def elsewhere(task):
    raise Elsewhere(task.image_url)


@pytest.fixture
def fetch(tmp_path):
    file = io.BytesIO()
    Pillow.new("RGB", (9, 6)).save(file, "PNG")
    for name in ("pics/a.png", "secret.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(file.getvalue())
    (tmp_path / "pics" / "large.png").write_bytes(bytes(2000))
    found = load_folder_fetcher(lambda: elsewhere, tmp_path / "pics", 1000, 100)
    return lambda reference: found(Task(1, "file.x", reference, "the mug"))


@pytest.mark.parametrize("reference", ["a.png", "in\\a.png", "C:\\pics\\a.png", "/home/me/a.png"])
def test_a_picture_of_the_folder_is_read_from_it(fetch, reference):
    assert fetch(reference).size == (6, 9)


@pytest.mark.parametrize(
    "reference",
    [
        "../secret.png",
        "/data/upload/1/a.png",
        "http://x/a.png",
        "s3://x/a.png",
        "data:image/png;base64,x",
        "b.png",
    ],
)
def test_everything_else_is_fetched_as_a_server_would(fetch, reference):
    with pytest.raises(Elsewhere):
        fetch(reference)


def test_the_limit_on_bytes_holds_for_files_too(fetch):
    with pytest.raises(ImageUnreachable, match="large.png has more than 0 MiB; raise RIS_MAX_IMAGE_BYTES"):
        fetch("large.png")
