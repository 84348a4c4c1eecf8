import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow
from PIL import ImageOps

from ris.labelstudio.images.pixels import find_orientation, is_deep, render_pixels, to_rgb, to_upright


def gradient(size, mode="RGB"):
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3)).astype(np.uint8)
    return Pillow.fromarray(pixels).convert(mode)


def turn_picture(picture, orientation, kind="PNG"):
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    out = io.BytesIO()
    picture.save(out, kind, exif=exif)
    opened = Pillow.open(io.BytesIO(out.getvalue()))
    opened.load()
    return opened


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_set_upright_as_pillow_does(kind, orientation):
    stored = turn_picture(gradient((5, 3)), orientation, kind)
    upright = ImageOps.exif_transpose(turn_picture(gradient((5, 3)), orientation, kind))

    assert (render_pixels(stored) == np.asarray(upright)).all()
    assert (np.asarray(to_upright(stored)) == np.asarray(upright)).all()
    assert find_orientation(stored) == (1 if kind == "TIFF" else orientation)


@given(st.integers(1, 60), st.integers(1, 60), st.sampled_from([2, 4, 8]), st.integers(1, 8))
def test_a_shrunk_picture_has_the_means_of_squares_and_its_sides_are_rounded_up(width, height, factor, turn):
    stored = turn_picture(gradient((width, height)), turn)

    small = render_pixels(stored, factor=factor)

    assert small.shape == render_pixels(stored)[::factor, ::factor].shape
    unturned = np.asarray(gradient((width, height)).reduce(factor))
    assert sorted(small.reshape(-1, 3).tolist()) == sorted(unturned.reshape(-1, 3).tolist())


@pytest.mark.parametrize("factor", [1, 2, 8])
@pytest.mark.parametrize("size", [(1501, 1400), (70_000, 33), (33, 70_000)])
def test_strips_leave_no_seam(size, factor):
    picture = gradient(size)
    whole = picture if factor == 1 else picture.reduce(factor)

    assert (render_pixels(picture, factor=factor) == np.asarray(whole)).all()


def test_floating_point_pixels_are_scaled_by_the_highest_of_the_whole_picture():
    values = np.zeros((2000, 1000), np.float32)
    values[-1, 0], values[0, 0], values[1, 0], values[2, 0] = 4, 2, np.inf, np.nan

    found = render_pixels(Pillow.fromarray(values))

    assert (found[-1, 0, 0], found[0, 0, 0], found[1, 0, 0], found[2, 0, 0]) == (255, 127, 255, 0)


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "YCbCr", "LAB", "HSV", "I", "I;16", "F"]
)
def test_every_mode_becomes_rgb(mode):
    picture = Pillow.new(mode, (3, 2))

    assert to_rgb(picture).mode == "RGB"
    assert render_pixels(picture).shape == (2, 3, 3)
    assert is_deep(picture) == (mode in ("I", "I;16", "F"))
