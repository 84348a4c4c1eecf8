from dataclasses import replace

import numpy as np

from ris.core.types import Image, Verdict
from ris.errors import ImageUnreachable
from tests.builders.decisions import decision, make_holed_mask
from tests.builders.exported import DecisionList, make_missing_images, make_samples

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
    missing = make_missing_images(decisions, studio.see, studio.keep)
    return missing, studio


def test_what_nobody_has_seen_is_fetched_once_and_remembered():
    known = decision(Verdict.ACCEPTED, make_holed_mask(), 1)
    asked = [
        unseen(2, "/data/upload/1/b.png"),
        unseen(3, "upload/1/b.png"),
        unseen(4, "/data/upload/1/c.png"),
    ]

    missing, studio = see([known, *asked])

    listed = list(DecisionList([known, *asked]).list_answers())
    found = [missing.add_image(answer) for answer in listed]
    assert found[0] == listed[0]
    assert {(one.image_digest, one.image_size) for one in found[1:]} == {(PICTURE.digest, (9, 14))}
    assert studio.asked == ["/data/upload/1/b.png", "/data/upload/1/c.png"]
    assert studio.kept == [(2, PICTURE.digest), (4, PICTURE.digest)]
    assert {missing.find_reason(answer.task) for answer in listed} == {""}


def test_two_upload_names_of_one_picture_that_nobody_has_seen_are_one_image_in_one_split():
    decided = [unseen(1, "/data/upload/1/a.png"), unseen(2, "/data/upload/1/b.png")]
    missing, _ = see(decided)

    for seed in range(8):
        kept, _ = make_samples(decided, missing=missing, shares={"val": 0.5}, seed=seed)
        assert len({(s.file_name, s.split) for s in kept}) == 1


def test_no_such_thing_in_a_picture_that_nobody_has_seen_gets_its_size():
    decided = [unseen(1, "/data/upload/1/a.png", Verdict.NO_REFERENT)]
    missing, _ = see(decided)

    (kept,), _ = make_samples(decided, missing=missing)
    assert kept.size == (9, 14)


def test_what_cannot_be_fetched_is_left_out_with_its_reason():
    decided = [unseen(1, "/data/upload/1/gone.png")]
    missing, _ = see(decided)

    kept, omissions = make_samples(decided, missing=missing)

    assert kept == []
    assert [one.reason for one in omissions] == [
        "its image was never seen here: cannot fetch the image of task 1: it is not there"
    ]
