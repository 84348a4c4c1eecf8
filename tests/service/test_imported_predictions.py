"""Predictions of `ris prelabel --out`, imported into another project: answers find their alternatives."""

from dataclasses import replace

import pytest

from ris.core.types import Verdict
from ris.label_config import read
from ris.labelstudio.config.control import read_controls
from ris.labelstudio.masks import brush
from ris.labelstudio.region import write_predictions
from ris.store.history import read_decisions
from tests.builders.events import event, process
from tests.builders.services import task

IMAGE = "/data/upload/7/a.png"
FILE = task(4, image=IMAGE, project="file.0123456789abcdef")


@pytest.fixture
def imported(suggesting, gate):
    """Return the regions in the file, best first."""
    gate.opened.set()
    (answer,) = suggesting.suggest([FILE], deadline_s=60)
    written = write_predictions(answer.alternatives, read_controls(read("tabs_brush.xml")), version="fake-1")
    return [prediction["result"] for prediction in reversed(written)]


def told(result, image=IMAGE, expression="the red", **more):
    return event(result, **more) | {"task": {"id": 70, "data": {"image": image, "expression": expression}}}


def test_an_accept_is_an_accept_with_its_rank(recording, database, imported):
    (found,) = process(recording, database, told(imported[1]))

    assert (found.verdict, found.rank, found.iou) == (Verdict.ACCEPTED, 1, 1.0)


def test_what_stood_beside_it_and_its_picture_are_on_record(recording, database, imported):
    process(recording, database, told(imported[1]))

    with database.begin() as session:
        (decision,) = read_decisions(session)
    assert len(decision.alternatives) == len(imported)
    assert decision.version == "fake-1"
    assert decision.image_digest is not None


def test_an_edit_is_an_edit_of_the_one_that_it_names(recording, database, imported):
    region = imported[0][0]
    mask = brush.decode_brush(region["value"]["rle"], (32, 32))
    mask[0, :] = True
    region["value"]["rle"] = brush.encode_brush(mask)

    (found,) = process(recording, database, told([region]))

    assert (found.verdict, found.rank) == (Verdict.EDITED, 0)


@pytest.mark.parametrize(
    "elsewhere", [{"image": "/data/upload/7/b.png"}, {"expression": "the blue"}], ids=["picture", "words"]
)
def test_an_id_of_another_picture_or_of_other_words_accepts_nothing(recording, database, imported, elsewhere):
    (found,) = process(recording, database, told(imported[1], **elsewhere))

    assert (found.verdict, found.rank, found.iou) == (Verdict.REDRAWN, None, None)


def test_a_region_of_a_picture_of_another_size_is_no_answer(recording, database, suggesting, imported):
    suggesting.suggest([replace(FILE, project="1.1700000000", image_url="black")], deadline_s=60)

    found = process(recording, database, event(imported[1]) | {
        "task": {"id": 4, "data": {"image": "black", "expression": "the red"}}
    })  # fmt: skip

    assert found == []
