import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps

from ris.errors import ImageUnreadable
from ris.export.pictures import FORMAT_BY_EXTENSION, make_upright, to_named_format
from ris.labelstudio.images.decoding import decode_image
from ris.labelstudio.images.pixels import render_pixels
from tests.builders.pictures import PIXELS, file


@pytest.mark.parametrize(("kind", "extension"), [("PNG", ".png"), ("JPEG", ".jpg"), ("WEBP", ".webp")])
def test_what_stands_upright_stays_byte_for_byte(kind, extension):
    data = file(kind, orientation=1)

    assert make_upright(data) == (data, extension)


@pytest.mark.parametrize("orientation", range(2, 9))
def test_what_lies_on_its_side_is_set_up_and_says_so_no_more(orientation):
    data, extension = make_upright(file("PNG", orientation))

    with Image.open(io.BytesIO(file("PNG", orientation))) as turned, Image.open(io.BytesIO(data)) as picture:
        assert (np.asarray(picture) == np.asarray(ImageOps.exif_transpose(turned))).all()
        assert picture.getexif().get(0x0112, 1) == 1
    assert extension == ".png"


@pytest.mark.parametrize("data", [b"", b"no picture", file("PNG", 6)[:60]])
def test_what_is_no_picture_is_refused(data):
    with pytest.raises(ImageUnreadable, match="cannot be read"):
        make_upright(data)


def opened(data):
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture


@pytest.mark.parametrize("orientation", [1, 6])
def test_an_mpo_becomes_a_jpeg_whose_bits_stay_where_it_stands_upright(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    out = io.BytesIO()
    first, second = Image.fromarray(PIXELS), Image.new("RGB", (9, 6), "blue")
    first.save(out, "MPO", save_all=True, append_images=[second], exif=exif)
    shown = decode_image(out.getvalue(), max_pixels=100).pixels

    for data, extension in (
        make_upright(out.getvalue()),
        (to_named_format(out.getvalue(), "phone.JPG"), ".jpg"),
    ):
        with opened(data) as picture:
            assert (picture.format, picture.getexif().get(0x0112, 1), extension) == ("JPEG", 1, ".jpg")
            assert np.abs(np.asarray(picture).astype(int) - shown).max() <= (0 if orientation == 1 else 24)


SOURCES = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "AVIF", "MPO")


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "1", "RGBA", "LA", "CMYK", "I;16", "F"])
@pytest.mark.parametrize("extension", FORMAT_BY_EXTENSION)
def test_the_content_fits_the_name_whatever_the_picture_was(mode, extension):
    grey = Image.fromarray((np.arange(54, dtype=np.uint16) * 1200).reshape(6, 9))
    picture = grey if mode == "I;16" else Image.fromarray(PIXELS).convert(mode)
    kinds = {"CMYK": "TIFF", "F": "TIFF", "I;16": "PNG"}
    out = io.BytesIO()
    picture.save(out, kinds.get(mode, "PNG"))
    wanted = render_pixels(opened(out.getvalue())).astype(int)

    data = to_named_format(out.getvalue(), f"a{extension}")

    with opened(data) as found:
        assert found.format == FORMAT_BY_EXTENSION[extension]
        difference = np.abs(render_pixels(found).astype(int) - wanted)
        allowed = {"JPEG": 30, "GIF": 60}.get(found.format, 1)
        assert difference.mean() <= allowed


@pytest.mark.parametrize("kind", SOURCES)
@pytest.mark.parametrize("extension", FORMAT_BY_EXTENSION)
def test_the_content_fits_the_name_whatever_the_format_was(kind, extension):
    out = io.BytesIO()
    Image.fromarray(PIXELS).save(out, kind)
    data = to_named_format(out.getvalue(), f"a{extension}")

    with opened(data) as found:
        assert found.format == FORMAT_BY_EXTENSION[extension]
        assert found.size == (9, 6)
    is_same = kind == FORMAT_BY_EXTENSION[extension] or (kind, extension[:4]) in (
        ("MPO", ".jpg"),
        ("MPO", ".jpe"),
    )
    assert is_same == (data == out.getvalue()) or kind == "MPO"


def test_an_animation_that_keeps_its_format_keeps_its_frames_and_else_gives_its_first():
    frames = [Image.new("RGB", (9, 6), colour) for colour in ("red", "blue")]
    out = io.BytesIO()
    frames[0].save(out, "WEBP", save_all=True, append_images=frames[1:], lossless=True)

    assert to_named_format(out.getvalue(), "a.webp") == out.getvalue()
    with opened(to_named_format(out.getvalue(), "a.png")) as first:
        assert first.convert("RGB").getpixel((4, 3)) == (255, 0, 0)


def test_what_avif_and_heic_hold_is_written_as_png_where_the_name_says_nothing_else():
    import pillow_heif

    pillow_heif.register_heif_opener()
    for kind in ("AVIF", "HEIF"):
        out = io.BytesIO()
        Image.fromarray(PIXELS).resize((64, 64)).save(out, kind)
        data, extension = make_upright(out.getvalue())
        with opened(data) as found:
            assert (found.format, extension) == ("PNG", ".png")


def test_notes_that_readers_refuse_are_not_handed_on():
    clean, text = file("PNG"), zlib.compress(b"x" * (2 * 2**20))
    body = b"zTXtnote\x00\x00" + text
    note = struct.pack(">L", len(body) - 4) + body + struct.pack(">L", zlib.crc32(body))
    at = clean.index(b"IDAT") - 4

    assert to_named_format(clean[:at] + note + clean[at:], "a.png") == clean


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_tiff_is_written_upright(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    out = io.BytesIO()
    Image.fromarray(PIXELS).save(out, "TIFF", exif=exif)

    data = to_named_format(out.getvalue(), "a.tiff")

    with Image.open(io.BytesIO(data)) as picture:
        assert picture.tag_v2.get(0x0112, 1) == 1
        assert (np.asarray(picture) == decode_image(out.getvalue(), max_pixels=100).pixels).all()
    assert (data == out.getvalue()) == (orientation == 1)
