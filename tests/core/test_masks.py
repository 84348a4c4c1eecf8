import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ris.core import rle
from ris.core.masks import (
    compute_boundary_iou,
    compute_inside_matrix,
    compute_iou,
    compute_iou_matrix,
    remove_specks,
    unite_masks,
)

STACKS = st.integers(1, 4).flatmap(lambda n: arrays(np.bool_, (n, 9, 11)))


@given(STACKS, STACKS)
def test_the_matrix_is_the_iou_of_every_pair(a, b):
    matrix = compute_iou_matrix([rle.encode_rle(m) for m in a], [rle.encode_rle(m) for m in b])

    wanted = [[(x & y).sum() / max((x | y).sum(), 1) for y in b] for x in a]
    np.testing.assert_allclose(matrix, wanted)


def test_two_empty_masks_have_an_iou_of_zero():
    empty = np.zeros((3, 3), np.bool_)

    assert compute_iou(empty, empty) == 0.0
    assert compute_iou_matrix([rle.encode_rle(empty)], [rle.encode_rle(empty)]).tolist() == [[0.0]]


def test_masks_of_two_sizes_are_refused():
    a, b = np.ones((3, 4), np.bool_), np.ones((4, 3), np.bool_)

    with pytest.raises(ValueError, match="one size"):
        compute_iou(a, b)
    with pytest.raises(ValueError, match="one size"):
        compute_iou_matrix([rle.encode_rle(a)], [rle.encode_rle(b)])


@given(STACKS)
def test_a_union_has_every_pixel_of_any(masks):
    assert (rle.decode_rle(unite_masks([rle.encode_rle(m) for m in masks])) == masks.any(0)).all()


def test_no_masks_give_an_empty_matrix():
    assert compute_iou_matrix([], []).shape == (0, 0)


def test_how_much_lies_inside_is_a_share_of_the_first():
    car, wheel = np.zeros((6, 8), np.bool_), np.zeros((6, 8), np.bool_)
    car[:, :6] = True
    wheel[2:4, 5:7] = True  # half of it on the car

    shares = compute_inside_matrix(
        [rle.encode_rle(car), rle.encode_rle(wheel)], [rle.encode_rle(car), rle.encode_rle(wheel)]
    )

    np.testing.assert_allclose(shares, [[1, 2 / 36], [0.5, 1]])
    assert compute_inside_matrix([], [rle.encode_rle(car)]).shape == (0, 1)


def test_an_empty_mask_lies_nowhere():
    empty, full = (rle.encode_rle(np.full((3, 3), value)) for value in (False, True))

    assert compute_inside_matrix([empty], [full]).tolist() == [[0.0]]


def eroded_edge(mask):
    """As the authors of Boundary IoU compute it: padded, eroded pixel by pixel, taken away."""
    depth = max(1, round(0.02 * float(np.hypot(*mask.shape))))
    padded = np.pad(mask, 1).astype(np.uint8)
    for _ in range(depth):
        padded = cv2.erode(padded, np.ones((3, 3), np.uint8))
    return mask & (padded[1:-1, 1:-1] == 0)


@given(st.integers(0, 2**32), st.tuples(st.integers(1, 90), st.integers(1, 200)))
def test_boundary_iou_is_that_of_the_paper(seed, size):
    rng = np.random.default_rng(seed)
    a, b = (cv2.blur(rng.random(size), (9, 9)) > 0.5 for _ in range(2))

    assert compute_boundary_iou(a, b) == pytest.approx(compute_iou(eroded_edge(a), eroded_edge(b)))


def test_boundary_iou_sees_an_edge_that_iou_hardly_sees():
    large, larger = np.zeros((200, 200), np.bool_), np.zeros((200, 200), np.bool_)
    large[20:180, 20:180], larger[16:184, 16:184] = True, True

    assert compute_iou(large, larger) > 0.9
    assert compute_boundary_iou(large, larger) < 0.3


def test_specks_go_and_small_holes_are_filled():
    mask = np.zeros((40, 40), np.bool_)
    mask[5:25, 5:25] = True
    clean = mask.copy()
    mask[10, 10] = mask[12, 12:14] = False
    mask[30, 30] = mask[0, 0] = True

    assert (remove_specks(mask, share=0.01) == clean).all()
    assert (remove_specks(mask, share=0) == mask).all()


def test_large_pieces_and_large_holes_stay():
    mask = np.zeros((40, 40), np.bool_)
    mask[5:25, 5:25] = mask[30:34, 30:34] = True
    mask[10:14, 10:14] = False

    assert (remove_specks(mask, share=0.01) == mask).all()


@given(arrays(np.bool_, (9, 11)), st.sampled_from([0.01, 0.2, 1.0]))
def test_what_has_pixels_keeps_some_and_once_is_enough(mask, share):
    clean = remove_specks(mask, share=share)

    assert clean.any() == mask.any()
    assert (remove_specks(clean, share=0.01) == clean).all() or share < 0.1
