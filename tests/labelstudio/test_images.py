import hashlib
import io

import numpy as np
import pytest
from PIL import Image as Pillow

from backend.errors import ImageUnreadable
from backend.labelstudio.images import decode

LIMIT = 10_000


def file(picture, kind="PNG", **more):
    out = io.BytesIO()
    picture.save(out, kind, **more)
    return out.getvalue()


def gradient(mode="RGB", size=(12, 7)):
    pixels = np.linspace(0, 255, size[0] * size[1] * 3).astype(np.uint8).reshape(size[1], size[0], 3)
    return Pillow.fromarray(pixels).convert(mode)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "WEBP", "GIF", "JPEG"])
def test_known_formats_are_read(kind):
    image = decode(file(gradient(), kind), max_pixels=LIMIT)

    assert image.size == (7, 12)
    assert np.abs(image.pixels.astype(int) - np.asarray(gradient())).mean() < 25


def test_the_digest_is_of_the_files_bytes():
    data = file(gradient())

    assert decode(data, max_pixels=LIMIT).digest == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize(("orientation", "size"), [(1, (7, 12)), (3, (7, 12)), (6, (12, 7)), (8, (12, 7))])
def test_a_turned_photo_is_as_it_is_displayed(orientation, size):
    exif = Pillow.Exif()
    exif[0x0112] = orientation

    image = decode(file(gradient(), "PNG", exif=exif), max_pixels=LIMIT)

    turns = {1: 0, 3: 2, 6: 3, 8: 1}[orientation]
    assert image.size == size
    assert (image.pixels == np.rot90(np.asarray(gradient()), turns)).all()


def test_what_is_see_through_lies_on_white():
    picture = Pillow.new("RGBA", (2, 1), (255, 0, 0, 0))
    picture.putpixel((1, 0), (255, 0, 0, 255))

    assert decode(file(picture), max_pixels=LIMIT).pixels.tolist() == [[[255, 255, 255], [255, 0, 0]]]


def test_a_palette_with_a_transparent_entry_lies_on_white():
    picture = Pillow.new("P", (1, 1), 0)
    picture.putpalette([9, 9, 9])

    assert decode(file(picture, transparency=0), max_pixels=LIMIT).pixels.tolist() == [[[255, 255, 255]]]


def test_sixteen_bits_are_scaled_to_eight():
    picture = Pillow.fromarray(np.array([[0, 32768, 65535]], np.uint16))

    assert decode(file(picture), max_pixels=LIMIT).pixels[0, :, 0].tolist() == [0, 127, 255]


@pytest.mark.parametrize("mode", ["CMYK", "L", "1", "YCbCr"])
def test_other_colour_spaces_become_rgb(mode):
    kind = "TIFF" if mode != "YCbCr" else "JPEG"

    assert decode(file(gradient(mode), kind), max_pixels=LIMIT).pixels.shape == (7, 12, 3)


def test_of_an_animation_the_first_frame_is_taken():
    frames = [Pillow.new("RGB", (3, 3), colour) for colour in ("red", "blue")]

    image = decode(file(frames[0], "GIF", save_all=True, append_images=frames[1:]), max_pixels=LIMIT)

    assert image.pixels[1, 1].tolist() == [255, 0, 0]


def test_one_pixel_is_a_picture():
    assert decode(file(Pillow.new("RGB", (1, 1))), max_pixels=LIMIT).size == (1, 1)


def test_a_picture_over_the_limit_is_refused_with_its_size_and_the_setting():
    with pytest.raises(
        ImageUnreadable, match=r"200 x 100 = 0 megapixels, 0 are the limit; set RIS_MAX_IMAGE_PIXELS"
    ):
        decode(file(Pillow.new("RGB", (200, 100))), max_pixels=LIMIT)


def test_a_bomb_is_refused_before_it_is_decoded():
    bomb = file(Pillow.new("1", (20_000, 20_000)))

    with pytest.raises(ImageUnreadable, match="far too large|megapixels"):
        decode(bomb, max_pixels=64_000_000)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "its 0 bytes are no picture; JPEG, PNG"),
        (b"this is a text file called .png", "its 31 bytes are no picture"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 50, "are no picture"),
        (file(gradient(size=(90, 90)), "JPEG")[:-300], "the JPEG picture is damaged or cut short"),
        (b"%PDF-1.4 ...", "are no picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "are no picture"),
    ],
    ids=["empty", "text", "broken png", "truncated jpeg", "pdf", "svg"],
)
def test_what_is_no_picture_is_one_sentence(data, message):
    with pytest.raises(ImageUnreadable, match=message):
        decode(data, max_pixels=LIMIT)
