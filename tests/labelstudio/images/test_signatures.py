import pytest

from ris.labelstudio.images.signatures import describe_unreadable, is_heif

FORMATS = ("JPEG", "PNG")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"\xff\xd8\xff", "the JPEG picture is damaged or cut short"),
        (b"II*\x00", "the picture is TIFF, which cannot be read; JPEG, PNG can"),
        (b"8BPS", "the picture is a Photoshop file, which cannot be read; JPEG, PNG can"),
        (b"\x00" * 128 + b"DICM", "the picture is DICOM, which cannot be read; JPEG, PNG can"),
        (b"hello", "its 5 bytes are no picture; JPEG, PNG can be read"),
        (b"", "its 0 bytes are no picture: the file is empty; JPEG, PNG can be read"),
        (b"PK\x03\x04", "its 4 bytes are no picture but a ZIP archive; JPEG, PNG can be read"),
        (b"\x00\x00\x00\x18ftypcrx ", "its 12 bytes are no picture but a video or the raw file of a camera; "
         "JPEG, PNG can be read"),
    ],
)  # fmt: skip
def test_bytes_that_are_no_picture_are_called_what_they_are(data, sentence):
    assert describe_unreadable(data, FORMATS) == sentence


def test_heic_is_known_by_its_brand_and_avif_is_none():
    assert is_heif(b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic")
    assert is_heif(b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1heic")
    assert not is_heif(b"\x00\x00\x00\x1cftypmif1\x00\x00\x00\x00mif1avif")
    assert not is_heif(b"\x00\x00\x00\x18ftypavif")
