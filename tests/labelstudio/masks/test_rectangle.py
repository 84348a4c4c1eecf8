import pytest
from hypothesis import given
from hypothesis import strategies as st

from ris.core import rle
from ris.labelstudio.masks.rectangle import rasterise_rectangle, rotate_offsets, to_rectangle
from tests.builders.masks import rectangle

SIDE = st.integers(1, 40)


@given(SIDE, SIDE, st.data())
def test_a_box_around_a_box_is_that_box(height, width, data):
    x = sorted(
        data.draw(st.tuples(st.integers(0, width), st.integers(0, width)).filter(lambda p: p[0] != p[1]))
    )
    y = sorted(
        data.draw(st.tuples(st.integers(0, height), st.integers(0, height)).filter(lambda p: p[0] != p[1]))
    )
    box = rle.encode_rle(rectangle((height, width), x[0], y[0], x[1], y[1]))

    assert rasterise_rectangle(to_rectangle(box), box.size) == box


def test_a_pixel_is_inside_when_its_centre_is():
    value = {"x": 10, "y": 0, "width": 40, "height": 100}

    assert rle.decode_rle(rasterise_rectangle(value, (1, 10)))[0].nonzero()[0].tolist() == [1, 2, 3, 4]
    assert not rle.decode_rle(rasterise_rectangle(value | {"width": 4}, (1, 10))).any()


def test_a_quarter_turn_is_clockwise_about_the_corner():
    value = {"x": 50, "y": 50, "width": 25, "height": 10, "rotation": 90}

    found = rle.decode_rle(rasterise_rectangle(value, (20, 40)))

    assert found.nonzero()[0].min() >= 10
    assert found.nonzero()[1].max() <= 20
    assert rotate_offsets(value, [[0, 0]], (20, 40)) == [[pytest.approx(50), pytest.approx(50)]]
