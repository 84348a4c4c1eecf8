import hashlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ris.core.types import Verdict
from ris.errors import ImageUnreachable
from ris.export.imagefile import make_image_file_name, read_image_file
from tests.builders.decisions import decision, make_holed_mask
from tests.builders.exported import make_image_book

DATA = b"a picture"
DIGEST = hashlib.sha256(DATA).hexdigest()


def make_shown_decision(*references):
    """One image that tasks show at several addresses."""
    decided = [
        replace(decision(Verdict.ACCEPTED, make_holed_mask(), i, image), image_digest=DIGEST)
        for i, image in enumerate(references, 1)
    ]
    images = make_image_book(decided)
    return images.find(DIGEST), list(images.read_tasks(images.find(DIGEST)))


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("/data/upload/1/left mug.JPG", "left_mug"),
        ("https://x.org/a.png?X-Amz-Signature=1", "a"),
        ("images\\shop\\1.png", "images_shop_1"),
        ("data:image/png;base64,AAAA/b.png", "image"),
        ("/data/local-files/?d=shop/1.png", "image"),
        ("/data/upload/1/.png", "image"),
        ("/data/upload/1/" + "x" * 300 + ".png", "x" * 60),
    ],
)
def test_a_file_has_the_name_of_its_picture_in_plain_letters(reference, name):
    assert make_image_file_name(reference, "ab" * 32).rpartition("-")[0] == name


@given(st.text(), st.integers(0, 2**256 - 1))
def test_any_reference_makes_a_plain_name_of_one_folder(reference, number):
    name = make_image_file_name(reference, f"{number:064x}")

    assert name.isascii() and "/" not in name and "\\" not in name and not name.startswith(".")
    assert len(name) < 90
    assert f"{number:064x}"[:16] in name


def test_the_first_address_names_a_picture_and_each_of_them_may_give_it():
    file, tasks = make_shown_decision("/data/upload/1/a.png", "/data/upload/1/b.png", "/data/upload/1/a.png")

    assert file.name == f"a-{DIGEST[:16]}.png"
    assert [task.image_url for task in tasks] == ["/data/upload/1/a.png", "/data/upload/1/b.png"]


def test_a_picture_comes_from_the_first_task_that_still_has_it():
    def fetch(task):
        if task.task_id == 1:
            raise ImageUnreachable("it is not there")
        return b"another" if task.task_id == 2 else DATA

    assert read_image_file(*make_shown_decision("/a.png", "/b.png", "/c.png"), fetch) == DATA


def test_a_picture_that_nobody_has_any_more_says_what_is_there_instead():
    with pytest.raises(ImageUnreachable, match="the image of task 1 was replaced: it is not the one"):
        read_image_file(*make_shown_decision("/a.png"), lambda task: b"another")
