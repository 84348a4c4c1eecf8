import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco

from ris.core import rle
from ris.datasets.segmentation import decode_segmentation, read_segmentation
from ris.errors import DatasetError
from tests.builders.masks import rectangle
from tests.builders.refcoco import BOX, OTHER, POLYGON, SIZE, compress_mask

STROKE = [3, 2, 17, 9]
SQUARE = [9, 1, 13, 1, 13, 5, 9, 5]


@pytest.mark.parametrize(
    ("segmentation", "wanted"),
    [
        (POLYGON, BOX),
        (POLYGON[0], BOX),
        ([[[2, 1], [8, 1], [8, 9], [2, 9]]], BOX),
        ([["2", "1", "8", "1", "8", "9", "2", "9"]], BOX),
        ([STROKE, *POLYGON], BOX),
        ([*POLYGON, STROKE], BOX),
        ([[5, 5], [], *POLYGON], BOX),
        (compress_mask(OTHER), OTHER),
        (compress_mask(OTHER) | {"counts": compress_mask(OTHER)["counts"].encode()}, OTHER),
        (compress_mask(OTHER) | {"size": ["12", 20.0]}, OTHER),
        ({"counts": compress_mask(OTHER)["counts"]}, OTHER),
        ([compress_mask(BOX), compress_mask(OTHER)], BOX | OTHER),
        ({"size": list(SIZE), "counts": [240]}, np.zeros(SIZE, np.bool_)),
        ({"size": list(SIZE), "counts": [0, 240.0]}, np.ones(SIZE, np.bool_)),
    ],
    ids=[
        "polygon", "a polygon without its list", "points in pairs", "numbers as text", "a stroke first",
        "a stroke last", "a point and nothing", "compressed", "bytes", "a size as text", "without a size",
        "a list of them", "uncompressed", "floats",
    ],
)  # fmt: skip
def test_segmentations_of_every_kind_are_read(segmentation, wanted):
    assert (rle.decode_rle(decode_segmentation(segmentation, SIZE, "ref 1")) == wanted).all()


@pytest.mark.parametrize(
    ("segmentation", "pattern"),
    [
        (None, "it has no segmentation"),
        ([], "it has no segmentation"),
        ({}, "it has no segmentation"),
        ("x", "something other than numbers"),
        ([[1, 2]], "none of its polygons has three points"),
        ([STROKE], "none of its polygons has three points"),
        ([[1, 2, 3, 4, 5, 6, 7]], "an x without a y"),
        ([[1, 2, 3, 4, float("nan"), 6]], "that are not finite"),
        ([[1, 2, 3, 4, None, 6]], "that are not finite"),
        ([[1, 2, 3, 4, float("inf"), 6]], "that are not finite"),
        ([[1, 2, 3, 4, 5, 1e9]], "reach far outside its image"),
        ([[1, 2, 3, 4, {}, 6]], "something other than numbers"),
        ([*POLYGON, compress_mask(BOX)], "neither polygons nor run lengths"),
        ({"size": [3, 3], "counts": [9]}, r"mask has size \(3, 3\), its image \(12, 20\)"),
        ({"size": [20, 12], "counts": [240]}, r"mask has size \(20, 12\), its image \(12, 20\)"),
        ({"size": [12], "counts": [240]}, "is not .height, width."),
        ({"size": list(SIZE)}, "have no counts"),
        ({"size": list(SIZE), "counts": [241]}, "do not cover its size"),
        ({"size": list(SIZE), "counts": [-1, 241]}, "do not cover its size"),
        ({"size": list(SIZE), "counts": [0.5, 239.5]}, "do not cover its size"),
        ({"size": list(SIZE), "counts": "~~"}, "do not cover its size"),
        ({"size": list(SIZE), "counts": "ü"}, "do not cover its size"),
    ],
)
def test_segmentations_that_cannot_be_are_refused(segmentation, pattern):
    with pytest.raises(DatasetError, match=f"ref 1: .*{pattern}"):
        decode_segmentation(segmentation, SIZE, "ref 1")


def test_polygons_need_the_size_of_their_image_and_no_size_costs_the_memory_of_the_machine():
    with pytest.raises(DatasetError, match="the size of its image is missing"):
        read_segmentation(POLYGON, None)
    assert read_segmentation(compress_mask(BOX), None).size == SIZE
    with pytest.raises(DatasetError, match="more than 268435456 pixels"):
        read_segmentation({"size": [10**6, 10**6], "counts": [10**12]}, None)


points = st.floats(-5, 25, allow_nan=False)
polygons = st.lists(st.lists(points, min_size=6, max_size=12).filter(lambda p: len(p) % 2 == 0), max_size=4)
scraps = st.lists(st.lists(points, max_size=5).filter(lambda p: len(p) % 2 == 0), max_size=3)


@settings(deadline=None)
@given(polygons, scraps, st.randoms())
def test_what_has_no_area_changes_nothing_wherever_it_stands(polygons, scraps, random):
    parts = [*polygons, *scraps]
    random.shuffle(parts)
    if not polygons:
        with pytest.raises(DatasetError):
            read_segmentation(parts, SIZE)
        return

    found = read_segmentation(parts, SIZE)

    wanted = np.zeros(SIZE, np.bool_)
    for polygon in polygons:  # pycocotools takes six or more numbers alone in a list for a polygon
        wanted |= coco.decode(coco.frPyObjects([polygon], *SIZE))[..., 0].astype(np.bool_)
    assert (rle.decode_rle(found) == wanted).all()


@settings(deadline=None)
@given(st.binary(min_size=1, max_size=40))
def test_run_lengths_that_lie_are_refused_and_never_drawn(data):
    text = data.decode("latin-1")
    try:
        found = read_segmentation({"size": list(SIZE), "counts": text}, SIZE)
    except DatasetError:
        return
    assert (found.size, sum(found.counts)) == (SIZE, 240)


def test_a_mask_may_be_written_in_any_way():
    whole = rectangle(SIZE, 9, 1, 13, 5)
    for given_ in ([SQUARE], SQUARE, compress_mask(whole), [compress_mask(whole)]):
        assert (rle.decode_rle(read_segmentation(given_, SIZE)) == whole).all()
