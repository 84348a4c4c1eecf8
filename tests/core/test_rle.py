import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from pycocotools import mask as coco

from ris.core import rle
from ris.core.rle import RLE

MASKS = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=40))


@given(MASKS)
def test_a_round_trip_gives_back_any_mask(mask):
    code = rle.encode_rle(mask)

    assert (rle.decode_rle(code) == mask).all()
    assert rle.from_string(rle.to_string(code), code.size) == code
    assert code.area_px == mask.sum()


@given(MASKS)
def test_the_text_is_the_one_of_the_coco_api(mask):
    theirs = coco.encode(np.asfortranarray(mask.astype(np.uint8)))

    assert rle.to_string(rle.encode_rle(mask)) == theirs["counts"].decode()
    assert rle.compute_xywh_box(rle.encode_rle(mask)) == coco.toBbox(theirs).tolist()


@given(st.text(max_size=60), st.integers(1, 50), st.integers(1, 50))
def test_any_other_text_is_refused_and_never_crashes(text, height, width):
    try:
        code = rle.from_string(text, (height, width))
    except ValueError:
        return
    assert sum(code.counts) == height * width


def test_counts_must_cover_the_size():
    with pytest.raises(ValueError, match="cover 2 x 3 = 6 pixels, got 2 runs over 5"):
        RLE((2, 3), (2, 3))


def test_negative_runs_are_refused():
    with pytest.raises(ValueError, match="at least 0"):
        RLE((2, 3), (7, -1))


@given(MASKS, st.integers(0, 20), st.integers(0, 20))
def test_an_enlarged_mask_is_the_nearest_pixel_of_the_small_one(mask, more_rows, more_columns):
    height, width = mask.shape[0] + more_rows, mask.shape[1] + more_columns

    large = rle.enlarge_rle(rle.encode_rle(mask), (height, width))

    rows, columns = np.arange(height) * mask.shape[0] // height, np.arange(width) * mask.shape[1] // width
    assert large == rle.encode_rle(mask[rows][:, columns])


def read_one_character_at_a_time(text):
    """The run lengths of a text, by the loop of the COCO API's `rleFrString`; None if it is none."""
    counts, value, shift = [], 0, 0
    for character in text:
        bits = ord(character) - 48
        if not 0 <= bits < 64:
            return None
        value |= (bits & 0x1F) << shift
        shift += 5
        if not bits & 0x20:
            value -= (1 << shift) if bits & 0x10 else 0
            counts.append(value + (counts[-2] if len(counts) > 2 else 0))
            value = shift = 0
    return None if shift else counts


@given(st.text(st.characters(min_codepoint=46, max_codepoint=113), max_size=8))
def test_a_text_is_read_as_the_coco_api_reads_it(text):
    counts = read_one_character_at_a_time(text)
    n_pixels = sum(counts or [])

    if counts is None or min(counts, default=-1) < 0 or not 0 < n_pixels < 2**40:
        with pytest.raises(ValueError, match="COCO|ends inside a run"):
            rle.from_string(text, (1, max(n_pixels, 1)))
    else:
        assert rle.from_string(text, (1, n_pixels)) == RLE((1, n_pixels), tuple(counts))


@given(st.lists(MASKS, max_size=6))
def test_many_texts_are_read_as_each_alone(masks):
    codes = [rle.encode_rle(mask) for mask in masks]
    texts, sizes = [rle.to_string(code) for code in codes], [code.size for code in codes]

    assert rle.from_strings(texts, sizes) == codes
    assert [rle.from_string(text, size) for text, size in zip(texts, sizes, strict=True)] == codes


@pytest.mark.parametrize("wrong", ["", "~", "é", "\ud800", "P", "P" * 8 + "0", "0"])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_wrong_text_among_many_is_refused_with_its_own_reason(wrong, place):
    with pytest.raises(ValueError) as alone:
        rle.from_string(wrong, (2, 2))
    texts = ["4", "13"]
    texts.insert(place, wrong)

    with pytest.raises(ValueError) as caught:
        rle.from_strings(texts, [(2, 2)] * 3)

    assert str(caught.value) == str(alone.value)


def test_a_run_longer_than_any_picture_is_refused():
    with pytest.raises(ValueError, match="a run of 9 characters is longer than any picture"):
        rle.from_string("P" * 8 + "0", (1, 1))
