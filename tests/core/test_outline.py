"""Polygons give back every pixel, with the fill functions of COCO and of PhraseCut."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, ImageDraw
from pycocotools import mask as coco

from ris.core import rle
from ris.core.outline import trace_centre_outlines, trace_edge_outlines

MASKS = st.tuples(st.integers(1, 12), st.integers(1, 12)).flatmap(lambda size: arrays(np.bool_, size))


def filled_by_coco(outlines, size):
    if not outlines:
        return np.zeros(size, np.bool_)
    polygons = [outline.astype(float).ravel().tolist() for outline in outlines]
    return coco.decode(coco.merge(coco.frPyObjects(polygons, *size))).astype(np.bool_)


def drawn_by_phrasecut(outlines, size):
    """PhraseCut's `polygons_to_mask`: each polygon drawn and filled by Pillow."""
    canvas = Image.new("L", size[::-1], 0)
    for outline in outlines:
        ImageDraw.Draw(canvas).polygon([(int(x), int(y)) for x, y in outline], outline=1, fill=1)
    return np.asarray(canvas) > 0


@given(MASKS)
def test_every_pixel_comes_back_whatever_the_mask(mask):
    encoded = rle.encode_rle(mask)

    assert (filled_by_coco(trace_edge_outlines(encoded), mask.shape) == mask).all()
    assert (drawn_by_phrasecut(trace_centre_outlines(encoded), mask.shape) == mask).all()


def test_a_single_pixel_is_a_square_along_its_edges():
    mask = np.zeros((5, 5), np.bool_)
    mask[3, 2] = True

    (outline,) = trace_edge_outlines(rle.encode_rle(mask))

    assert sorted(map(tuple, outline.tolist())) == [(2, 3), (2, 4), (3, 3), (3, 4)]


@pytest.mark.parametrize("size", [(40, 60), (61, 37)])
def test_a_ring_comes_back_with_its_hole(size):
    y, x = np.mgrid[: size[0], : size[1]]
    far = np.hypot(y - size[0] / 2, x - size[1] / 2)
    ring = (far < 16) & (far > 8)

    outlines = trace_edge_outlines(rle.encode_rle(ring))

    assert (filled_by_coco(outlines, size) == ring).all()
    assert 1 < len(outlines) < 10
