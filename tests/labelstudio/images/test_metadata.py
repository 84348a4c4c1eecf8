import struct

import pytest

from ris.labelstudio.images.metadata import drop_metadata, extract_first_jpeg, read_orientation


def block(kind, count, value, order="<"):
    head = (b"II*\x00" if order == "<" else b"MM\x00*") + struct.pack(order + "LH", 8, 1)
    return head + struct.pack(order + "HHLHH", 0x0112, kind, count, value, 0)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("value", range(1, 9))
def test_an_orientation_is_one_short_of_1_to_8(order, value):
    assert read_orientation(block(3, 1, value, order)) == value
    assert read_orientation(b"Exif\x00\x00" + block(3, 1, value, order)) == value


@pytest.mark.parametrize(
    "exif",
    [None, "text", b"", b"Exif\x00\x00", b"XX*\x00", block(4, 1, 6), block(3, 2, 6), block(3, 1, 0),
     block(3, 1, 9), block(3, 1, 6)[:-4], b"II*\x00\xff\xff\xff\xff"],
)  # fmt: skip
def test_everything_else_turns_nothing(exif):
    assert read_orientation(exif) == 1


@pytest.mark.parametrize("data", [b"", b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"\xff\xd8\xff\xe1"])
def test_what_is_cut_short_is_taken_as_far_as_it_goes(data):
    assert drop_metadata(data) in (data, data[:2])
    assert extract_first_jpeg(data)[:2] == b"\xff\xd8"


def test_only_what_pixels_need_is_kept_of_a_jpeg():
    def segment(marker, content):
        return b"\xff" + bytes([marker]) + struct.pack(">H", len(content) + 2) + content

    kept = [
        segment(0xE0, b"JFIF"),
        segment(0xE1, b"Exif\x00\x00x"),
        segment(0xEE, b"Adobe"),
        segment(0xDB, b"q"),
    ]
    notes = [
        segment(0xE1, b"http://xmp"),
        segment(0xE2, b"MPF\x00"),
        segment(0xED, b"8BIM"),
        segment(0xFE, b"!"),
    ]
    scan = segment(0xDA, b"head") + b"pixels\xff\x00pixels\xff\xd0pixels\xff\xd9"
    mixed = b"".join(a + b for a, b in zip(kept, notes, strict=True))

    assert drop_metadata(b"\xff\xd8" + mixed + scan) == b"\xff\xd8" + b"".join(kept) + scan
    assert (
        extract_first_jpeg(b"\xff\xd8" + notes[1] + kept[0] + scan + b"a second picture")
        == b"\xff\xd8" + kept[0] + scan
    )


def test_any_number_of_exif_headers_is_skipped_in_one_pass():
    block = b"Exif\x00\x00" * 2_000_000

    assert read_orientation(block) == 1
