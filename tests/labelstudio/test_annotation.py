"""One annotation: its fields, its mask, and when it is a skip."""

from datetime import UTC, datetime

import numpy as np
import pytest

from ris.core import rle
from ris.labelstudio.event import read_event
from ris.labelstudio.masks import brush
from tests.builders.webhooks import MASK, REGION, annotation, body


def test_an_annotation_is_read_with_all_that_it_says():
    event = read_event(body())

    (read,) = event.annotations
    assert (event.project, read.task.project) == ("9.1795219146", "9.1795219146")
    assert (read.annotation_id, read.task.task_id, read.task.expression) == (22, 373, "the left mug")
    assert read.updated_at == datetime(2026, 11, 21, 0, 21, 31, 364195, tzinfo=UTC)
    assert (rle.decode_rle(read.mask) == MASK).all()
    assert (read.region_ids, read.annotator, read.lead_time_s, read.parent_prediction) == (
        ("ris-0",),
        1,
        2.341,
        610,
    )
    assert not read.cancelled


@pytest.mark.parametrize("result", [[REGION], [], [{"type": "vectorlabels"}], ["odd"], None])
def test_a_skip_is_a_skip_whatever_lies_on_the_image(result):
    (read,) = read_event(body(annotation=annotation(was_cancelled=True, result=result))).annotations

    assert (read.cancelled, read.mask) == (True, None)


def test_no_region_is_no_mask():
    assert read_event(body(annotation=annotation(result=[]))).annotations[0].mask is None


def test_a_size_that_a_region_does_not_say_is_the_one_on_record():
    bare = {k: v for k, v in REGION.items() if k not in ("original_width", "original_height")}
    asked = []

    def on_record(task):
        asked.append(task.image_url)
        return 20, 30

    (read,) = read_event(body(annotation=annotation(result=[bare])), on_record).annotations

    assert (rle.decode_rle(read.mask) == MASK).all()
    assert asked == ["/data/upload/9/a.png"]


def test_an_annotator_may_come_as_an_object():
    assert read_event(body(annotation=annotation(completed_by={"id": 5}))).annotations[0].annotator == 5


def test_the_mask_of_a_region_is_not_changed_by_reading():
    assert np.array_equal(brush.decode_brush(REGION["value"]["rle"], (20, 30)), MASK)


@pytest.mark.parametrize("result", [None, {}, "", 0, "[]"])
def test_an_answer_without_a_list_of_regions_is_no_answer(result):
    (failed,) = read_event(body(annotation=annotation(result=result))).failures

    assert "an answer needs its result, a list of regions" in failed.sentence


@pytest.mark.parametrize(
    ("said", "cancelled"),
    [(True, True), (1, True), ("true", True), (False, False), (None, False), (0, False)],
)
def test_a_skip_is_said_in_several_ways(said, cancelled):
    (read,) = read_event(body(annotation=annotation(was_cancelled=said))).annotations

    assert read.cancelled is cancelled
