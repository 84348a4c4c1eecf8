import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ris.core import rle
from ris.core.types import Verdict
from ris.datasets.entry import LEFT_OUT, WITHOUT_MASK, Defect, Entry
from ris.datasets.rows import read_row

ROW = {"image": "a.png", "expression": "the mug"}
SIZED = {**ROW, "height": 40, "width": 60}
CODE = rle.encode_rle(np.eye(40, 60, dtype=np.bool_))
RUNS = {"size": [40, 60], "counts": rle.to_string(CODE)}
SQUARE = np.zeros((40, 60), np.bool_)
SQUARE[10:20, 5:30] = True
POLYGON = [5, 10, 30, 10, 30, 20, 5, 20]


def found(**row):
    """The entries of a row, and its defects as (outcome, reason)."""
    read = list(read_row("row 1", ROW | row))
    defects = [(one.outcome, one.reason) for one in read if isinstance(one, Defect)]
    return [one for one in read if isinstance(one, Entry)], defects


@pytest.mark.parametrize("mask", [POLYGON, [POLYGON], [[[5, 10], [30, 10], [30, 20], [5, 20]]]])
@pytest.mark.parametrize("write", [lambda mask: mask, json.dumps])
def test_polygons_are_read_with_the_size_of_their_image(mask, write):
    ((entry,), defects) = found(mask=write(mask), height=40, width="60")

    assert defects == []
    assert (rle.decode_rle(entry.mask) == SQUARE).all()


@pytest.mark.parametrize("mask", [RUNS, [RUNS], json.dumps(RUNS), RUNS["counts"]])
def test_run_lengths_are_read_however_they_are_written(mask):
    ((entry,), defects) = found(mask=mask, height=40, width=60)

    assert (entry.mask, entry.size, defects) == (CODE, (40, 60), [])


@pytest.mark.parametrize(
    ("mask", "reason"),
    [
        ([POLYGON], "the size of its image is missing"),
        ([], "it has no segmentation"),
        ({}, "it has no segmentation"),
        (RUNS["counts"], "its mask is text: give run lengths as"),
        ("masks/a.png", "its mask is text: give run lengths as"),
        ("[[1, 2", "its mask is not valid JSON"),
        ([{"format": "rle", "rle": [1], "brushlabels": ["It"]}], "the size of its image is missing"),
        (7, "the size of its image is missing"),
        (True, "the size of its image is missing"),
    ],
)
def test_a_mask_that_cannot_be_read_keeps_the_words_and_is_told(mask, reason):
    ((entry,), ((outcome, told),)) = found(mask=mask)

    assert (entry.expression, entry.mask, entry.has_referent) == ("the mug", None, True)
    assert (outcome, told[: len(reason)]) == (WITHOUT_MASK, reason)


@pytest.mark.parametrize("mask", ["masks/\u00fc.png", "a.png", "\u2028"])
def test_text_that_does_not_cover_the_image_is_no_mask(mask):
    ((entry,), defects) = found(mask=mask + "x", height=40, width=60)

    assert entry.mask is None
    assert defects == [(WITHOUT_MASK, "its mask is text, but not run lengths that cover its image")]


@pytest.mark.parametrize("mask", [None, "", " "])
def test_nothing_in_place_of_a_mask_is_no_defect(mask):
    ((entry,), defects) = found(mask=mask)

    assert (entry.mask, defects) == (None, [])


@pytest.mark.parametrize("mask", [None, "", [], {}, {"size": [2, 2], "counts": [4]}])
@pytest.mark.parametrize(
    "verdict", ["no referent", "No Referent", "no_referent", "NO-REFERENT ", "no such thing", "No_such-thing"]
)
def test_that_there_is_no_such_thing_is_known_in_any_writing(verdict, mask):
    ((entry,), defects) = found(verdict=verdict, mask=mask)

    assert (entry.has_referent, entry.mask, defects) == (False, None, [])


@pytest.mark.parametrize("verdict", [None, "", " ", "Accepted", "edited", "redrawn", "skipped"])
def test_other_verdicts_of_an_export_and_none_leave_the_mask_alone(verdict):
    ((entry,), defects) = found(verdict=verdict, mask=RUNS)

    assert (entry.has_referent, entry.mask, defects) == (True, CODE, [])


@given(st.text() | st.integers() | st.booleans() | st.lists(st.none(), max_size=1))
def test_any_other_verdict_is_left_out_and_told(verdict):
    entries, defects = found(verdict=f"!{verdict}" if isinstance(verdict, str) else verdict)

    assert entries == []
    assert defects == [(LEFT_OUT, f"its verdict is not one of {', '.join(Verdict)}")]


@pytest.mark.parametrize("mask", [RUNS, [POLYGON], "masks/a.png"])
def test_no_such_thing_and_a_mask_contradict_each_other(mask):
    assert found(verdict="no referent", mask=mask) == (
        [],
        [(LEFT_OUT, "its verdict says that there is no referent, but it has a mask")],
    )


def test_two_columns_of_words_are_refused_in_an_object_too():
    row = {"image": "a.png", "caption": "a", "phrase": "b", "text": None}

    (defect,) = read_row("row 1", row)

    assert (
        defect.reason
        == "it has expressions under 'caption' and 'phrase': rename the right column to 'expression'"
    )
    assert [one.expression for one in read_row("row 1", row | {"phrase": None})] == ["a"]


def test_a_line_of_our_own_export_is_no_answer_of_json_min():
    entries, defects = found(annotation_id=3, task_id=4, verdict="accepted", mask=RUNS)

    assert ([entry.mask for entry in entries], defects) == ([CODE], [])
