"""Grounds: any of them on any canvas."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ris.tinyworld import backgrounds


@pytest.mark.parametrize("name", backgrounds.BACKGROUNDS)
@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 2**32), width=st.integers(64, 480), height=st.integers(64, 480))
def test_a_ground_fills_any_canvas(name, seed, width, height):
    class Chosen(random.Random):
        def choice(self, options):
            return name if options is backgrounds.BACKGROUNDS else super().choice(options)

    pixels, drawn = backgrounds.draw_background(Chosen(seed), width, height)

    assert drawn == name
    assert pixels.shape == (height, width, 3) and pixels.dtype == np.float32
    assert np.isfinite(pixels).all() and pixels.min() > -160 and pixels.max() < 420
