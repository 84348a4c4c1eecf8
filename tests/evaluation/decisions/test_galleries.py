import numpy as np

from ris.core.types import Edit, Verdict
from ris.errors import ImageUnreachable
from ris.evaluation.decisions.galleries import MAX_GALLERY_PICTURES
from tests.builders.evaluated import HALF, LEFT, RIGHT, SIZE, draw_galleries, make_decision

GREY = np.full((*SIZE, 3), 90, np.uint8)


def test_misses_are_shown_worst_first_and_edits_largest_first():
    made = [
        make_decision(Verdict.ACCEPTED, RIGHT, rank=1, number=1),
        make_decision(Verdict.ACCEPTED, LEFT, rank=0, number=2),
        make_decision(Verdict.EDITED, HALF, rank=0, number=3, edit=Edit(0, 20, 0.5)),
        make_decision(Verdict.EDITED, LEFT, rank=0, number=4, edit=Edit(30, 2, 0.5)),
        make_decision(Verdict.NO_REFERENT, number=5),
    ]

    misses, edits = draw_galleries(made, lambda task: GREY)

    assert [picture.detail for picture in misses.pictures] == [
        "task 1, accepted, IoU of the first alternative 0.00"
    ]
    assert [picture.detail.split(",")[0] for picture in edits.pictures] == ["task 4", "task 3"]
    assert all(picture.picture.startswith("data:image/jpeg;base64,") for picture in misses.pictures)


def test_a_picture_that_cannot_be_fetched_is_a_sentence():
    def refuse(task):
        raise ImageUnreachable("cannot fetch the image: 404")

    ((picture,),) = [
        gallery.pictures
        for gallery in draw_galleries([make_decision(Verdict.REDRAWN, RIGHT, number=1)], refuse)
    ]

    assert (picture.picture, picture.missing) == ("", "cannot fetch the image: 404")


def test_a_gallery_has_a_limit_and_only_its_decisions_are_read():
    made = [make_decision(Verdict.REDRAWN, RIGHT, number=i) for i in range(MAX_GALLERY_PICTURES + 9)]

    (misses,) = draw_galleries(made, lambda task: GREY)

    assert len(misses.pictures) == MAX_GALLERY_PICTURES
