"""An answer that is written and read again is the same answer."""

from dataclasses import replace

import numpy as np
import pytest

from ris.core import rle
from ris.core.types import Annotation, Correction, Verdict
from ris.core.verdict import judge_annotation
from ris.label_config import read
from ris.labelstudio.answer import write_answer, write_ground_truth
from ris.labelstudio.choice import select_meant_regions
from ris.labelstudio.config.control import read_controls
from ris.labelstudio.region import to_shown_alternative
from ris.labelstudio.result import read_mask
from tests.builders.alternatives import OFFERS, SIZE, TASK
from tests.builders.masks import rectangle
from tests.builders.services import NOW

CONFIGS = {name: read_controls(read(f"{name}.xml")) for name in ("tabs_brush", "pick_brush", "pick_polygon")}
DRAWN = rle.encode_rle(rectangle(SIZE, 3, 3, 33, 9) & ~rectangle(SIZE, 8, 5, 12, 7))
ANSWERS = {
    "first": (OFFERS[0].suggestion.mask, (OFFERS[0].region_id,)),
    "third": (OFFERS[2].suggestion.mask, (OFFERS[2].region_id,)),
    "edited": (rle.encode_rle(rectangle(SIZE, 17, 5, 29, 28)), (OFFERS[1].region_id,)),
    "drawn": (DRAWN, ("xyz",)),
    "nothing": (None, ()),
}


def correction(name, offers=OFFERS):
    mask, ids = ANSWERS[name]
    return judge_annotation(Annotation(5, TASK, NOW, mask, ids), offers)


def again(result, controls, offers=OFFERS):
    mask, ids = read_mask(select_meant_regions(result, controls))
    return judge_annotation(
        Annotation(5, TASK, NOW, mask, ids), [to_shown_alternative(offer, controls) for offer in offers]
    )


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("config", ["tabs_brush", "pick_brush"])
def test_an_answer_in_pixels_comes_back_as_it_was(name, config):
    before = correction(name)

    after = again(write_answer(before, OFFERS, CONFIGS[config]), CONFIGS[config])

    assert (after.verdict, after.rank, after.annotation.mask) == (
        before.verdict, before.rank, before.annotation.mask,
    )  # fmt: skip


@pytest.mark.parametrize("name", ["first", "third", "nothing"])
def test_outlines_come_back_with_their_verdict(name):
    controls = CONFIGS["pick_polygon"]
    before = correction(name)

    after = again(write_answer(before, OFFERS, controls), controls)

    assert (after.verdict, after.rank) == (before.verdict, before.rank)


def test_of_shuffled_alternatives_the_key_of_the_place_is_written():
    shuffled = tuple(replace(o, place=place) for o, place in zip(OFFERS, (2, 0, 1), strict=True))
    result = write_answer(correction("first"), shuffled, CONFIGS["pick_brush"])

    assert [r["value"]["choices"] for r in result if r["type"] == "choices"] == [["3rd"]]
    assert again(result, CONFIGS["pick_brush"], shuffled).rank == 0


def test_a_skipped_task_has_no_regions():
    skipped = Correction(Annotation(5, TASK, NOW, DRAWN, cancelled=True), Verdict.SKIPPED)

    assert write_answer(skipped, OFFERS, CONFIGS["pick_brush"]) == []


@pytest.mark.parametrize("config", ["tabs_brush", "pick_brush"])
def test_known_masks_are_written_as_answers(config):
    controls = CONFIGS[config]

    known = again(write_ground_truth(DRAWN, controls), controls, ())
    none = again(write_ground_truth(None, controls), controls, ())

    assert (known.verdict, known.annotation.mask) == (Verdict.REDRAWN, DRAWN)
    assert none.verdict == Verdict.NO_REFERENT
    assert np.array_equal(rle.decode_rle(known.annotation.mask), rle.decode_rle(DRAWN))
