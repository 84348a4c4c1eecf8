import io

import numpy as np
import pytest
from PIL import Image

from backend.errors import ImageUnreadable
from backend.export.pictures import upright

PIXELS = (np.arange(6 * 9 * 3) % 251).astype(np.uint8).reshape(6, 9, 3)


def file(kind, orientation=None, pixels=PIXELS):
    picture, out = Image.fromarray(pixels), io.BytesIO()
    exif = Image.Exif()
    if orientation:
        exif[0x0112] = orientation
    picture.save(out, kind, exif=exif)
    return out.getvalue()


@pytest.mark.parametrize(("kind", "extension"), [("PNG", ".png"), ("JPEG", ".jpg"), ("WEBP", ".webp")])
def test_what_stands_upright_stays_byte_for_byte(kind, extension):
    data = file(kind, orientation=1)

    assert upright(data) == (data, extension)


@pytest.mark.parametrize("orientation", range(2, 9))
def test_what_lies_on_its_side_is_set_up_and_says_so_no_more(orientation):
    data, extension = upright(file("PNG", orientation))

    with Image.open(io.BytesIO(file("PNG", orientation))) as turned, Image.open(io.BytesIO(data)) as picture:
        from PIL import ImageOps

        assert (np.asarray(picture) == np.asarray(ImageOps.exif_transpose(turned))).all()
        assert picture.getexif().get(0x0112, 1) == 1
    assert extension == ".png"


@pytest.mark.parametrize("data", [b"", b"no picture", file("PNG", 6)[:60]])
def test_what_is_no_picture_is_refused(data):
    with pytest.raises(ImageUnreadable, match="cannot be read"):
        upright(data)
