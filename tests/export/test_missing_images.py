from dataclasses import replace

import numpy as np

from ris.core.types import Image, Verdict
from ris.errors import ImageUnreachable
from ris.export.dataset import make_dataset_samples
from ris.export.missing_images import fetch_missing_images
from tests.builders.decisions import decision, make_holed_mask

PICTURE = Image.from_pixels(np.zeros((9, 14, 3), np.uint8))


def unseen(number, image, verdict=Verdict.ACCEPTED):
    made = decision(verdict, make_holed_mask() if verdict.has_mask else None, number, image)
    return replace(made, image_digest=None, image_size=None)


class Studio:
    """Returns the same image for every address but "gone.png", and counts the calls."""

    def __init__(self):
        self.asked, self.kept = [], []

    def see(self, task):
        self.asked.append(task.image_url)
        if "gone" in task.image_url:
            raise ImageUnreachable(f"cannot fetch the image of task {task.task_id}: it is not there")
        return PICTURE

    def keep(self, task, image):
        self.kept.append((task.task_id, image.digest))


def see(decisions):
    studio = Studio()
    found, failures = fetch_missing_images(decisions, studio.see, studio.keep)
    return found, failures, studio


def test_what_nobody_has_seen_is_fetched_once_and_remembered():
    known = decision(Verdict.ACCEPTED, make_holed_mask(), 1)
    asked = [
        unseen(2, "/data/upload/1/b.png"),
        unseen(3, "upload/1/b.png"),
        unseen(4, "/data/upload/1/c.png"),
    ]

    found, failures, studio = see([known, *asked])

    assert found[0] is known
    assert {(d.image_digest, d.image_size) for d in found[1:]} == {(PICTURE.digest, (9, 14))}
    assert studio.asked == ["/data/upload/1/c.png", "/data/upload/1/b.png"]
    assert sorted(studio.kept) == [(2, PICTURE.digest), (4, PICTURE.digest)]
    assert failures == {}


def test_two_upload_names_of_one_picture_that_nobody_has_seen_are_one_image_in_one_split():
    found, _, _ = see([unseen(1, "/data/upload/1/a.png"), unseen(2, "/data/upload/1/b.png")])

    for seed in range(8):
        kept, _ = make_dataset_samples(found, shares={"val": 0.5}, seed=seed)
        assert len({(s.file_name, s.split) for s in kept}) == 1


def test_no_such_thing_in_a_picture_that_nobody_has_seen_gets_its_size():
    found, _, _ = see([unseen(1, "/data/upload/1/a.png", Verdict.NO_REFERENT)])

    (kept,), _ = make_dataset_samples(found)
    assert kept.size == (9, 14)


def test_what_cannot_be_fetched_is_left_out_with_its_reason():
    found, failures, _ = see([unseen(1, "/data/upload/1/gone.png")])

    kept, omissions = make_dataset_samples(found, unseen=failures)

    assert kept == []
    assert [one.reason for one in omissions] == [
        "its image was never seen here: cannot fetch the image of task 1: it is not there"
    ]
