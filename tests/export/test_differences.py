from dataclasses import replace

from ris.core import rle
from ris.datasets.entry import Entry
from ris.export.differences import compare_entries, compare_masks
from tests.builders.decisions import ALL
from tests.builders.exported import make_samples
from tests.builders.masks import rectangle

LEFT, RIGHT = (rle.encode_rle(rectangle((4, 8), x, 0, x + 4, 4)) for x in (0, 4))
SMALL = rle.encode_rle(rectangle((4, 4), 0, 0, 1, 1))


def test_equal_masks_and_none_on_both_sides_differ_in_nothing():
    assert list(compare_masks("line 1", LEFT, LEFT)) == []
    assert list(compare_masks("line 1", None, None)) == []


def test_a_mask_that_differs_is_told_by_its_iou_or_where_sizes_differ_by_them():
    assert list(compare_masks("line 1", LEFT, RIGHT)) == [
        "line 1: its mask has IoU 0.0000 with the one on record"
    ]
    assert list(compare_masks("line 2", SMALL, LEFT)) == [
        "line 2: its mask is 1 px of (4, 4) in the files and 16 px of (4, 8) on record"
    ]
    assert list(compare_masks("line 3", None, LEFT)) == [
        "line 3: its mask is none in the files and 16 px of (4, 8) on record"
    ]


def test_every_part_of_an_expression_is_compared():
    (sample, *_), _ = make_samples(ALL[:1])
    same = Entry(sample.expression, sample.file_name, sample.size, sample.mask, True, sample.split)
    other = replace(same, expression="x", image="y", size=(1, 2), has_referent=False, split="z")

    assert list(compare_entries([(same, sample)])) == []
    assert [found.split(" is ")[0] for found in compare_entries([(same, sample), (other, sample)])] == [
        f"expression 2: its {part}" for part in ("expression", "image", "size", "split", "referent")
    ]
