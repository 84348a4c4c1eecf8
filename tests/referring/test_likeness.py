import numpy as np

from ris.core.boxes import compute_box
from ris.referring.likeness import GRID, compute_likeness, draw_thumbnails


def draw_corner(size, x, y, side, mirrored=False):
    """An L of one side."""
    mask = np.zeros(size, np.bool_)
    part = np.zeros((side, side), np.bool_)
    part[:, : side // 3], part[-side // 3 :] = True, True
    mask[y : y + side, x : x + side] = part[:, ::-1] if mirrored else part
    return mask


def draw_disc(size, x, y, radius):
    rows, columns = np.indices(size)
    return np.hypot(rows - y, columns - x) < radius


def compare(*masks):
    pixels = np.full((*masks[0].shape, 3), 120, np.uint8)
    pixels[masks[0].shape[0] // 2 :] = 150
    thumbnails = draw_thumbnails(pixels, [(mask, compute_box(mask)) for mask in masks])
    return compute_likeness(*thumbnails, np.array([mask.sum() for mask in masks], float))


def test_a_thing_is_like_itself_larger_or_mirrored_and_unlike_another():
    size = (120, 200)
    likeness = compare(
        draw_corner(size, 10, 10, 30), draw_corner(size, 60, 10, 45),
        draw_corner(size, 120, 10, 30, mirrored=True), draw_disc(size, 100, 90, 20),
    )  # fmt: skip

    assert min(likeness[0, 1], likeness[0, 2]) > likeness[0, 3] + 0.1


def test_likeness_goes_both_ways():
    size = (80, 80)
    likeness = compare(draw_corner(size, 5, 5, 30), draw_disc(size, 60, 60, 12))

    assert np.isclose(likeness[0, 1], likeness[1, 0])


def test_a_thing_of_one_pixel_and_a_thin_one_can_be_drawn():
    dot, line = np.zeros((40, 40), np.bool_), np.zeros((40, 40), np.bool_)
    dot[3, 3], line[20] = True, True

    silhouettes, patterns = draw_thumbnails(
        np.zeros((40, 40, 3), np.uint8), [(m, compute_box(m)) for m in (dot, line)]
    )

    assert silhouettes.shape == patterns.shape == (2, GRID, GRID)
    assert silhouettes[0].min() == 1 and silhouettes[1].any(1).sum() == 1


def test_nothing_is_like_nothing():
    thumbnails = draw_thumbnails(np.zeros((4, 4, 3), np.uint8), [])

    assert compute_likeness(*thumbnails, np.zeros(0)).shape == (0, 0)
