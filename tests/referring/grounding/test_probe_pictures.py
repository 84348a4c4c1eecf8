import numpy as np

from ris.referring.grounding.probe_pictures import draw_probe_pictures

COLOURS = {"red": (220, 30, 30), "blue": (30, 60, 220), "green": (30, 160, 50)}


def test_every_shape_fills_its_box():
    for picture in draw_probe_pictures():
        height, width = picture.size
        for expression, (x1, y1, x2, y2) in picture.boxes.items():
            rows, columns = (picture.pixels == COLOURS[expression.split()[1]]).all(-1).nonzero()
            drawn = (columns.min() / width, rows.min() / height, columns.max() / width, rows.max() / height)
            assert np.allclose(drawn, (x1, y1, x2, y2), atol=0.005)


def test_there_is_a_wide_a_tall_a_square_and_a_large_picture():
    assert {picture.name for picture in draw_probe_pictures()} == {"wide", "tall", "square", "large"}


def test_no_shape_lies_where_its_axes_could_be_swapped():
    for picture in draw_probe_pictures():
        for x1, y1, x2, y2 in picture.boxes.values():
            assert abs((x1 + x2) - (y1 + y2)) > 0.3
