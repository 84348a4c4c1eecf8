import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from label_studio_sdk.converter.brush import decode_rle, mask2rle

from ris.errors import RegionError
from ris.labelstudio.masks import brush

MASKS = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=30))
SOLID = st.tuples(st.integers(1, 400), st.integers(1, 400), st.booleans()).map(lambda t: np.full(t[:2], t[2]))


def as_sdk(mask):
    return mask2rle(mask.astype(np.uint8) * 255)


@given(MASKS | SOLID)
def test_encoding_gives_the_bytes_of_the_sdk(mask):
    assert brush.encode_brush(mask) == as_sdk(mask)


@given(MASKS | SOLID)
def test_decoding_gives_the_pixels_of_the_sdk(mask):
    theirs = decode_rle(as_sdk(mask)).reshape(*mask.shape, 4)[..., 3] > 127

    assert (brush.decode_brush(as_sdk(mask), mask.shape) == theirs).all()
    assert (theirs == mask).all()


def bits(value, width):
    return format(value, f"0{width}b")


def editor_stream(planes, run_bits, rng):
    """As the editor writes: blocks of one repeated value mixed with blocks of single values."""
    values = planes.ravel()
    out = bits(len(values), 32) + bits(7, 5) + "".join(bits(b - 1, 4) for b in run_bits)
    i = 0
    while i < len(values):
        field = rng.integers(0, 4)
        longest = min(2 ** run_bits[field], len(values) - i)
        run = 1
        while run < longest and values[i + run] == values[i]:
            run += 1
        if rng.random() < 0.5:
            run = int(rng.integers(1, longest + 1))
            out += "0" + bits(field, 2) + bits(run - 1, run_bits[field])
            out += "".join(bits(int(v), 8) for v in values[i : i + run])
        else:
            out += "1" + bits(field, 2) + bits(run - 1, run_bits[field]) + bits(int(values[i]), 8)
        i += run
    out += "0" * (-len(out) % 8)
    return [int(out[k : k + 8], 2) for k in range(0, len(out), 8)]


@given(
    st.integers(1, 12),
    st.integers(1, 12),
    st.lists(st.integers(1, 16), min_size=4, max_size=4),
    st.integers(0, 10**6),
)
def test_streams_painted_in_the_editor_are_read_by_their_alpha(height, width, run_bits, seed):
    """Soft rims, single values and other run fields; the colours do not count."""
    rng = np.random.default_rng(seed)
    planes = rng.choice([0, 0, 255, 255, 127, 128, 60], (height, width, 4)).astype(np.uint8)

    stream = editor_stream(planes, run_bits, rng)

    alpha = planes[..., 3].astype(int)
    assert (brush.decode_brush(stream, (height, width)) == (2 * alpha > alpha.max())).all()
    assert (decode_rle(stream) == planes.ravel()).all()


@pytest.mark.parametrize("alpha", [1, 2, 100, 127, 128, 255])
def test_a_mask_is_read_whatever_alpha_it_was_painted_with(alpha):
    """The SDK's `contour2rle` writes 100, and its `mask2rle` the values of the mask, e.g. 1."""
    inside = np.zeros((5, 6), np.bool_)
    inside[1:4, 2:5] = True
    planes = np.repeat(np.where(inside, alpha, 0).astype(np.uint8)[..., None], 4, axis=2)

    stream = editor_stream(planes, [3, 4, 8, 16], np.random.default_rng(0))

    assert (brush.decode_brush(stream, inside.shape) == inside).all()


def test_a_soft_rim_is_outside_by_the_largest_alpha():
    planes = np.zeros((1, 6, 4), np.uint8)
    planes[0, :, 3] = [0, 60, 127, 128, 255, 10]

    stream = editor_stream(planes, [3, 4, 8, 16], np.random.default_rng(0))

    assert brush.decode_brush(stream, (1, 6)).tolist() == [[False, False, False, True, True, False]]


def test_a_large_ragged_mask_survives():
    mask = np.random.default_rng(0).random((120, 130)) > 0.5

    assert (brush.decode_brush(brush.encode_brush(mask), mask.shape) == mask).all()


GOOD = brush.encode_brush(np.eye(6, 7, dtype=np.bool_))


@pytest.mark.parametrize(
    ("stream", "size", "message"),
    [
        ([], (6, 7), "at least 7 bytes, got 0"),
        (GOOD[:10], (6, 7), "ends .* values early|cut short"),
        (GOOD, (7, 7), "claims 168 values, its size needs 196"),
        ([255] * 4 + GOOD[4:], (6, 7), "claims 4294967295 values"),
        ([*GOOD[:4], 255, *GOOD[5:]], (6, 7), "values of 32 bits"),
        ([*GOOD[:8], 256], (6, 7), "list of bytes"),
        ([*GOOD[:8], -1], (6, 7), "list of bytes"),
        ("text", (6, 7), "list of bytes"),
        ([1.5] * 20, (6, 7), "list of bytes"),
        (None, (6, 7), "list of bytes"),
    ],
)
def test_a_bad_stream_is_refused_with_a_sentence(stream, size, message):
    with pytest.raises(RegionError, match=message):
        brush.decode_brush(stream, size)


@given(st.lists(st.integers(0, 255), max_size=60))
def test_garbage_is_refused_or_read_and_never_crashes(tail):
    header = GOOD[:7]
    try:
        mask = brush.decode_brush([*header, *tail], (6, 7))
    except RegionError:
        return
    assert mask.shape == (6, 7)


@given(st.integers(7, len(GOOD) - 2))
def test_a_stream_cut_anywhere_is_refused(length):
    with pytest.raises(RegionError):
        brush.decode_brush(GOOD[:length], (6, 7))


def test_a_shaded_mask_has_a_strong_edge_a_clear_inside_and_the_same_pixels():
    mask = np.zeros((60, 80), np.bool_)
    mask[10:50, 20:70] = True
    shaded = brush.shade_mask(mask)

    assert (brush.decode_brush(brush.encode_alphas(shaded), mask.shape) == mask).all()
    assert (shaded[10, 20], shaded[30, 45], shaded[0, 0]) == (255, 160, 0)


def test_a_stroke_of_the_editors_brush_adds_to_a_shaded_mask_and_removes_nothing():
    mask = np.zeros((60, 80), np.bool_)
    mask[10:50, 20:70] = True
    painted = brush.shade_mask(mask)
    painted[0:5, 0:5] = 255

    found = brush.decode_brush(brush.encode_alphas(painted), mask.shape)
    assert (found == (mask | (painted == 255))).all()
