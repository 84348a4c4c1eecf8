"""Outlines to masks, and masks to outlines."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ris.core import rle
from ris.labelstudio.masks.polygon import rasterise_polygons, trace_outlines
from tests.builders.masks import rectangle

SIZE = (12, 16)
PLACES = st.floats(-30, 130, allow_nan=False)


def pixels(*polygons, size=SIZE):
    return rle.decode_rle(rasterise_polygons(polygons, size))


@pytest.mark.parametrize("shift", [0, 0.2, 0.49, -0.3])
def test_a_square_covers_the_pixels_whose_centres_are_inside_and_no_others(shift):
    x1, y1, x2, y2 = (place + shift for place in (10, 20, 30, 40))

    found = pixels([[x1, y1], [x2, y1], [x2, y2], [x1, y2]], size=(100, 100))

    assert (found == rectangle((100, 100), 10, 20, 30, 40)).all()


@pytest.mark.parametrize("points", [[], [[5, 5]], [[5, 5], [60, 60]], [[5, 5], [60, 60], [5, 5]]])
def test_what_encloses_nothing_covers_nothing(points):
    assert not pixels(points).any()


def test_an_outline_that_crosses_itself_is_filled_where_it_winds_around():
    """A square whose outline goes around twice is a square, not a hole."""
    square = [[10, 10], [90, 10], [90, 90], [10, 90]]

    assert (pixels([*square, *square]) == pixels(square)).all()


@given(st.lists(st.tuples(PLACES, PLACES), min_size=3, max_size=8))
def test_every_pixel_is_asked_how_often_the_outline_winds_around_its_centre(points):
    found = pixels([list(point) for point in points])

    for row, column in np.ndindex(SIZE):
        x, y = 100 * (column + 0.5) / SIZE[1], 100 * (row + 0.5) / SIZE[0]
        turns = sum(
            crosses(x, y, *start, *end)
            for start, end in zip(points, [*points[1:], points[0]], strict=True)
        )  # fmt: skip
        nearest = min(
            distance(x, y, *start, *end) for start, end in zip(points, [*points[1:], points[0]], strict=True)
        )
        assert found[row, column] == (turns != 0) or nearest < 1e-9


def crosses(x, y, x1, y1, x2, y2):
    """+1 or -1 for an edge that a ray to the left of (x, y) crosses, 0 for others."""
    if (y1 <= y) == (y2 <= y):
        return 0
    is_left = x1 + (y - y1) * (x2 - x1) / (y2 - y1) <= x
    return (1 if y2 > y1 else -1) if is_left else 0


def distance(x, y, x1, y1, x2, y2):
    long = max((x2 - x1) ** 2 + (y2 - y1) ** 2, 1e-300)
    along = min(max(((x - x1) * (x2 - x1) + (y - y1) * (y2 - y1)) / long, 0), 1)
    return float(np.hypot(x - x1 - along * (x2 - x1), y - y1 - along * (y2 - y1)))


@given(st.integers(0, 10**6))
def test_the_outline_of_any_mask_covers_some_of_it(seed):
    rng = np.random.default_rng(seed)
    mask = rng.random(SIZE) < rng.choice([0.02, 0.1, 0.5, 0.95])
    mask[rng.integers(SIZE[0]), rng.integers(SIZE[1])] = True

    covered = pixels(*trace_outlines(rle.encode_rle(mask)))

    assert (covered & mask).any()


@pytest.mark.parametrize("box", [(3, 2, 9, 8), (0, 0, 16, 12), (5, 5, 6, 6), (2, 5, 14, 6), (15, 0, 16, 12)])
def test_the_outline_of_a_rectangle_is_the_rectangle(box):
    mask = rectangle(SIZE, *box)

    assert (pixels(*trace_outlines(rle.encode_rle(mask))) == mask).all()
