import base64
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from ris.core import rle
from ris.errors import RegionError
from ris.labelstudio.masks.bitmask import DATA_URI_PREFIX, decode_bitmask, encode_bitmask

MASKS = st.tuples(st.integers(1, 20), st.integers(1, 20)).flatmap(lambda size: arrays(np.bool_, size))


@given(MASKS)
def test_every_pixel_comes_back(mask):
    encoded = rle.encode_rle(mask)

    assert decode_bitmask(encode_bitmask(encoded), mask.shape) == encoded


def test_it_is_black_inside_and_see_through_outside():
    mask = np.eye(3, dtype=np.bool_)
    with Image.open(
        io.BytesIO(base64.b64decode(encode_bitmask(rle.encode_rle(mask)).removeprefix(DATA_URI_PREFIX)))
    ) as picture:
        pixels = np.asarray(picture)

    assert picture.mode == "RGBA"
    assert (pixels[..., :3] == 0).all()
    assert (pixels[..., 3] == mask * 255).all()


@pytest.mark.parametrize(
    ("uri", "pattern"),
    [
        ("", "no PNG"),
        (DATA_URI_PREFIX + "****", "no PNG"),
        (DATA_URI_PREFIX + base64.b64encode(b"GIF89a").decode(), "no PNG"),
        (
            encode_bitmask(rle.encode_rle(np.ones((2, 5), np.bool_))),
            r"its picture is \(5, 2\), its size says \(7, 4\)",
        ),
    ],
)
def test_what_is_no_picture_of_that_size_is_refused(uri, pattern):
    with pytest.raises(RegionError, match=pattern):
        decode_bitmask(uri, (4, 7))


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_a_picture_without_transparency_is_refused_and_not_the_whole_image(mode):
    file = io.BytesIO()
    Image.new(mode, (4, 3)).save(file, "PNG")
    uri = "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()

    with pytest.raises(RegionError, match="its picture has no transparency"):
        decode_bitmask(uri, (3, 4))
