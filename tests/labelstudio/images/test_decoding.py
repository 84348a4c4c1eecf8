import contextlib
import hashlib
import io
import struct
import sys
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow
from PIL import ImageOps, TiffImagePlugin

from ris.errors import ImageUnreadable
from ris.labelstudio.images.decoding import decode_image, open_image, read_displayed_size, read_head
from ris.labelstudio.images.metadata import drop_metadata, extract_first_jpeg

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
    image = decode_image(file(gradient(), kind), max_pixels=LIMIT)

    assert image.size == (7, 12)
    assert np.abs(image.pixels.astype(int) - np.asarray(gradient())).mean() < 25


def test_the_digest_is_of_the_files_bytes():
    data = file(gradient())

    assert decode_image(data, max_pixels=LIMIT).digest == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize(("orientation", "size"), [(1, (7, 12)), (3, (7, 12)), (6, (12, 7)), (8, (12, 7))])
def test_a_turned_photo_is_as_it_is_displayed(orientation, size):
    exif = Pillow.Exif()
    exif[0x0112] = orientation

    image = decode_image(file(gradient(), "PNG", exif=exif), max_pixels=LIMIT)

    turns = {1: 0, 3: 2, 6: 3, 8: 1}[orientation]
    assert image.size == size
    assert (image.pixels == np.rot90(np.asarray(gradient()), turns)).all()


def test_what_is_see_through_lies_on_white():
    picture = Pillow.new("RGBA", (2, 1), (255, 0, 0, 0))
    picture.putpixel((1, 0), (255, 0, 0, 255))

    assert decode_image(file(picture), max_pixels=LIMIT).pixels.tolist() == [[[255, 255, 255], [255, 0, 0]]]


def test_a_palette_with_a_transparent_entry_lies_on_white():
    picture = Pillow.new("P", (1, 1), 0)
    picture.putpalette([9, 9, 9])

    assert decode_image(file(picture, transparency=0), max_pixels=LIMIT).pixels.tolist() == [
        [[255, 255, 255]]
    ]


def test_sixteen_bits_are_scaled_to_eight():
    picture = Pillow.fromarray(np.array([[0, 32768, 65535]], np.uint16))

    assert decode_image(file(picture), max_pixels=LIMIT).pixels[0, :, 0].tolist() == [0, 127, 255]


@pytest.mark.parametrize("mode", ["CMYK", "L", "1", "YCbCr"])
def test_other_colour_spaces_become_rgb(mode):
    kind = "TIFF" if mode != "YCbCr" else "JPEG"

    assert decode_image(file(gradient(mode), kind), max_pixels=LIMIT).pixels.shape == (7, 12, 3)


def test_of_an_animation_the_first_frame_is_taken():
    frames = [Pillow.new("RGB", (3, 3), colour) for colour in ("red", "blue")]

    image = decode_image(file(frames[0], "GIF", save_all=True, append_images=frames[1:]), max_pixels=LIMIT)

    assert image.pixels[1, 1].tolist() == [255, 0, 0]


def test_one_pixel_is_a_picture():
    assert decode_image(file(Pillow.new("RGB", (1, 1))), max_pixels=LIMIT).size == (1, 1)


def test_a_picture_over_the_limit_is_refused_with_its_size_and_the_setting():
    with pytest.raises(
        ImageUnreadable, match=r"200 x 100 = 0 megapixels, 0 are the limit; set RIS_MAX_IMAGE_PIXELS"
    ):
        decode_image(file(Pillow.new("RGB", (200, 100))), max_pixels=LIMIT)


def test_a_bomb_is_refused_before_it_is_decoded():
    bomb = file(Pillow.new("1", (20_000, 20_000)))

    with pytest.raises(ImageUnreadable, match="far too large|megapixels"):
        decode_image(bomb, max_pixels=64_000_000)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "its 0 bytes are no picture: the file is empty; JPEG, PNG"),
        (b"this is a text file called .png", "its 31 bytes are no picture; JPEG, PNG, WEBP, BMP, TIFF, GIF"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 50, "the PNG picture is damaged or cut short"),
        (file(gradient(size=(90, 90)), "JPEG")[:-300], "the JPEG picture is damaged or cut short"),
        (b"\xff\xd8\xff\xe0", "the JPEG picture is damaged or cut short"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "the WEBP picture is damaged or cut short"),
        (b"\x00\x00\x00\x1cftypavif", "the AVIF picture is damaged or cut short"),
        (b"%PDF-1.4 ...", "are no picture but a PDF document"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "the picture is SVG, which cannot be read; JPEG"),
        (b"<?xml version='1.0'?><svg/>", "the picture is SVG, which cannot be read"),
        (b"\n<!DOCTYPE html><title>Log in</title>", "are no picture but an HTML page, such as a login page"),
        (
            b"<?xml version='1.0'?><Error><Code>AccessDenied",
            "are no picture but XML, such as an error message",
        ),
        (b'{"detail": "Not found."}', "are no picture but JSON, such as an error message"),
        (b"\x00\x00\x00\x18ftypmp42", "are no picture but a video"),
        (b"\xff\x0a\x00", "the picture is JPEG XL, which cannot be read"),
        (b"version https://git-lfs.github.com/spec/v1", "but a pointer of Git LFS"),
    ],
)
def test_what_is_no_picture_is_one_true_sentence(data, message):
    with pytest.raises(ImageUnreadable, match=message):
        decode_image(data, max_pixels=LIMIT)


CLEAN = gradient(size=(40, 24))


def same(data):
    return (
        decode_image(data, max_pixels=LIMIT).pixels
        == decode_image(file(CLEAN, kind_of(data)), max_pixels=LIMIT).pixels
    ).all()


def kind_of(data):
    return "PNG" if data[:4] == b"\x89PNG" else "JPEG"


def exif_of(*entries, order="<", start=8):
    """An EXIF block of (tag, type, count, value) entries."""
    head = (b"II*\x00" if order == "<" else b"MM\x00*") + struct.pack(order + "L", start)
    rows = b"".join(struct.pack(order + "HHL", *e[:3]) + struct.pack(order + "HH", e[3], 0) for e in entries)
    return b"Exif\x00\x00" + head + struct.pack(order + "H", len(entries)) + rows + bytes(4)


BROKEN_EXIF = {
    "empty": b"Exif\x00\x00",
    "garbage": b"Exif\x00\x00\x00\x08\x00\x02\x01\x12\x00\x03",
    "far": exif_of((0x0112, 3, 1, 6), start=0x7FFFFFFF),
    "cut short": exif_of((0x010F, 2, 1, 0), (0x0112, 3, 1, 6))[:-20],
    "a LONG": exif_of((0x0112, 4, 1, 6)),
    "text": exif_of((0x0112, 2, 1, 54)),
    "two of them": exif_of((0x0112, 3, 2, 6)),
    "nine": exif_of((0x0112, 3, 1, 9)),
    "zero": exif_of((0x0112, 3, 1, 0)),
    "too many entries": exif_of(start=8)[:14] + b"\xff\xff" + b"\x00" * 40,
}


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("exif", BROKEN_EXIF.values(), ids=BROKEN_EXIF)
def test_broken_exif_turns_nothing_and_spoils_nothing(kind, exif):
    data = file(CLEAN, kind, exif=exif)

    found = decode_image(data, max_pixels=LIMIT)

    assert (found.pixels == decode_image(file(CLEAN, kind), max_pixels=LIMIT).pixels).all()
    assert read_displayed_size(data, max_pixels=LIMIT) == found.size


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_exif_in_either_byte_order_and_written_twice_turns_once(kind, order):
    exif = exif_of((0x010F, 2, 1, 0), (0x0112, 3, 1, 6), order=order)
    for block in (exif, b"Exif\x00\x00" + exif, exif + exif_of((0x0112, 3, 1, 3))):
        assert decode_image(file(CLEAN, kind, exif=block), max_pixels=LIMIT).size == (40, 24)


XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_xmp_turns_nothing_because_no_browser_reads_it(kind):
    assert decode_image(file(CLEAN, kind, xmp=XMP), max_pixels=LIMIT).size == (24, 40)


def chunk(kind, content, *, crc=None):
    crc = zlib.crc32(kind + content) if crc is None else crc
    return struct.pack(">L", len(content)) + kind + content + struct.pack(">L", crc)


LONG = zlib.compress(b"x" * (2 * 2**20))
PNG_NOTES = {
    "zTXt": chunk(b"zTXt", b"note\x00\x00" + LONG),
    "iTXt": chunk(b"iTXt", b"XML:com.adobe.xmp\x00\x01\x00\x00\x00" + LONG),
    "iCCP": chunk(b"iCCP", b"profile\x00\x00" + LONG),
    "a wrong checksum": chunk(b"tEXt", b"note\x00hello", crc=1),
    "a checksum of nothing that is known": chunk(b"abCd", b"hello", crc=1),
    "a short gAMA": chunk(b"gAMA", b"x"),
    "a short cHRM": chunk(b"cHRM", b"x" * 5),
    "a broken eXIf": chunk(b"eXIf", b"nothing"),
    "many": chunk(b"tEXt", b"note\x00" + b"x" * 2**20) * 70,
}


@pytest.mark.parametrize("notes", PNG_NOTES.values(), ids=PNG_NOTES)
@pytest.mark.parametrize("place", ["before", "after"])
def test_notes_of_a_png_spoil_nothing_whatever_they_hold(notes, place):
    data = file(CLEAN)
    at = data.index(b"IDAT") - 4 if place == "before" else data.index(b"IEND") - 4

    assert same(data[:at] + notes + data[at:])


def test_a_png_without_its_notes_is_still_turned_and_see_through():
    picture = Pillow.new("P", (3, 2), 0)
    picture.putpalette([9, 9, 9])
    data = file(picture, transparency=0, exif=exif_of((0x0112, 3, 1, 6)))
    at = data.index(b"IDAT") - 4

    found = decode_image(data[:at] + PNG_NOTES["zTXt"] + data[at:], max_pixels=LIMIT)

    assert (found.size, found.pixels.min()) == ((3, 2), 255)


def segment(marker, content):
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(content) + 2) + content


JPEG_NOTES = {
    "a huge comment": segment(0xFE, b"x" * 65_000) * 40,
    "broken MPF": segment(0xE2, b"MPF\x00II*\x00\x08\x00\x00\x00\x01\x00\x01\xb0\x04\x00\xff\xff\xff\xff"),
    "MPF of nothing": segment(0xE2, b"MPF\x00"),
    "MPF that points far": segment(0xE2, b"MPF\x00II*\x00\xff\xff\xff\x7f"),
    "a broken ICC profile": segment(0xE2, b"ICC_PROFILE\x00\x07\x02x"),
    "broken Photoshop": segment(0xED, b"Photoshop 3.0\x008BIM\x03\xed"),
    "XMP": segment(0xE1, b"http://ns.adobe.com/xap/1.0/\x00" + XMP),
    "filling": b"\xff" * 7,
}


@pytest.mark.parametrize("notes", JPEG_NOTES.values(), ids=JPEG_NOTES)
def test_notes_of_a_jpeg_spoil_nothing_whatever_they_hold(notes):
    data = file(CLEAN, "JPEG")

    assert same(data[:2] + notes + data[2:])
    assert same(drop_metadata(data[:2] + notes + data[2:]))


def test_the_first_picture_of_an_mpo_is_the_picture_and_its_bits_stay():
    others = [Pillow.new("RGB", (40, 24), "blue")]
    data = file(CLEAN, "MPO", save_all=True, append_images=others)

    assert same(data)
    plain = extract_first_jpeg(data)
    with Pillow.open(io.BytesIO(plain)) as picture:
        assert (picture.format, picture.size) == ("JPEG", (40, 24))
    assert same(plain)
    assert len(plain) < len(data)


def test_an_avif_with_broken_exif_is_a_picture():
    data = file(CLEAN, "AVIF", exif=exif_of((0x010F, 2, 1, 0)))
    broken = data.replace(b"II*\x00", b"XXXX")

    assert broken != data
    assert (
        decode_image(broken, max_pixels=LIMIT).pixels == decode_image(data, max_pixels=LIMIT).pixels
    ).all()


def test_a_heic_is_read_where_its_package_is_and_says_so_where_it_is_not(monkeypatch):
    import pillow_heif

    pillow_heif.register_heif_opener()
    data = file(gradient(size=(64, 48)), "HEIF", quality=100)
    found = decode_image(data, max_pixels=LIMIT)
    assert found.size == (48, 64)
    assert np.abs(found.pixels.astype(int) - np.asarray(gradient(size=(64, 48)))).mean() < 8
    with pytest.raises(ImageUnreadable, match="64 x 48 = 0 megapixels"):
        decode_image(data, max_pixels=100)

    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(ImageUnreadable, match=r"the picture is HEIC, .*pip install '.*\[heic\]'"):
        decode_image(data, max_pixels=LIMIT)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_the_displayed_size_is_known_without_decoding(kind, orientation):
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    data = file(CLEAN, kind, exif=exif)

    assert read_displayed_size(data, max_pixels=LIMIT) == decode_image(data, max_pixels=LIMIT).size


def test_a_tiff_whose_exif_points_nowhere_is_a_picture():
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[34665] = 0x7FFFFFF0
    tags[34853] = 3
    data = file(CLEAN, "TIFF", tiffinfo=tags)

    assert (decode_image(data, max_pixels=LIMIT).pixels == np.asarray(CLEAN)).all()


def test_a_bomb_with_broken_metadata_is_refused_too():
    data = file(Pillow.new("1", (20_000, 20_000)))
    at = data.index(b"IDAT") - 4

    with pytest.raises(ImageUnreadable, match="far too large|megapixels"):
        decode_image(data[:at] + PNG_NOTES["zTXt"] + data[at:], max_pixels=64_000_000)


@settings(deadline=None)
@given(st.binary(max_size=200), st.sampled_from(["PNG", "JPEG", "AVIF", "WEBP", "GIF"]), st.data())
def test_any_damage_gives_a_picture_or_a_sentence(noise, kind, data):
    whole = SAMPLES[kind]
    at = data.draw(st.integers(0, len(whole)))
    damaged = whole[:at] + noise + whole[at + data.draw(st.integers(0, 50)) :]
    with contextlib.suppress(ImageUnreadable):
        decode_image(damaged, max_pixels=LIMIT)
    drop_metadata(damaged), extract_first_jpeg(damaged)


SAMPLES = {kind: file(CLEAN, kind) for kind in ("PNG", "JPEG", "AVIF", "WEBP", "GIF")}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_large_picture_is_shrunk_and_its_size_stays_that_of_the_file(kind, orientation):
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    picture = Pillow.new("L", (5000, 4000), 255)
    picture.paste(0, (0, 0, 2000, 1000))

    image = decode_image(file(picture, kind, exif=exif), max_pixels=64_000_000)

    upright = ImageOps.exif_transpose(Pillow.open(io.BytesIO(file(picture, kind, exif=exif))))
    assert image.size == (upright.height, upright.width)
    assert image.pixels.shape[:2] == (upright.height // 2, upright.width // 2)
    assert np.abs(image.pixels[..., 0].astype(int) - np.asarray(upright.reduce(2))).max() <= 1


def test_a_picture_of_twelve_megapixels_is_not_shrunk():
    image = decode_image(file(Pillow.new("1", (4032, 3024))), max_pixels=64_000_000)

    assert (image.pixels.shape, image.full_size) == ((3024, 4032, 3), None)


@pytest.mark.parametrize("size", [(1, 65_535), (3, 20_000), (3_000_000, 2), (1, 101), (5000, 49)])
def test_a_picture_of_which_one_side_would_become_nothing_is_refused(size):
    data = file(Pillow.new("1", size))

    for read in (decode_image, read_head, read_displayed_size, open_image):
        with pytest.raises(ImageUnreadable, match="longer side may be at most 100 times its shorter side"):
            read(data, max_pixels=64_000_000)


@pytest.mark.parametrize("size", [(1, 100), (100, 1), (5000, 50)])
def test_a_long_picture_within_the_limit_is_read(size):
    assert decode_image(file(Pillow.new("1", size)), max_pixels=10**6).size == (size[1], size[0])


def test_the_head_says_how_far_a_picture_is_shrunk():
    data = file(Pillow.new("1", (8000, 8000)))

    head = read_head(data, max_pixels=10**8)

    assert (head.format, head.size, head.n_pixels, head.factor) == ("PNG", (8000, 8000), 64_000_000, 2)


def test_a_jpeg_with_endless_scans_is_refused_before_it_is_decoded():
    data = file(CLEAN, "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    many = data[:last] + data[last:-2] * 100 + data[-2:]

    with pytest.raises(ImageUnreadable, match=r"the JPEG picture has 1\d\d scans, 64 are the limit"):
        decode_image(many, max_pixels=LIMIT)


def test_transparency_of_more_colours_than_the_palette_has_is_ignored_as_in_browsers():
    picture = Pillow.new("P", (2, 1), 0)
    picture.putpalette([9, 9, 9, 7, 7, 7])
    data = file(picture)
    at = data.index(b"IDAT") - 4

    found = decode_image(data[:at] + chunk(b"tRNS", bytes(200)) + data[at:], max_pixels=LIMIT)

    assert found.pixels.tolist() == [[[9, 9, 9], [9, 9, 9]]]
