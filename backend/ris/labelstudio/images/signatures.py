"""Recognise what bytes are that cannot be decoded as an image, for a correct message."""

import re

_IMAGE_SIGNATURES = {
    b"\xff\xd8\xff": "JPEG", b"\x89PNG\r\n\x1a\n": "PNG", b"GIF8": "GIF", b"BM": "BMP",
    b"II*\x00": "TIFF", b"MM\x00*": "TIFF", b"II+\x00": "TIFF", b"MM\x00+": "TIFF",
}  # fmt: skip
_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
_UNREADABLE_IMAGE_SIGNATURES = {
    b"\x00\x00\x00\x0cjP  ": "JPEG 2000", b"\xff\x4f\xff\x51": "JPEG 2000",
    b"\x00\x00\x00\x0cJXL ": "JPEG XL", b"\xff\x0a": "JPEG XL", b"8BPS": "a Photoshop file",
    b"\x00\x00\x01\x00": "an icon", b"v/1\x01": "OpenEXR", b"DDS ": "DDS", b"#?RADIANCE": "Radiance HDR",
    b"SIMPLE  =": "FITS",
    b"gimp xcf": "a GIMP file", b"qoif": "QOI",
}  # fmt: skip
_OTHER_SIGNATURES = {
    b"%PDF": "a PDF document", b"PK\x03\x04": "a ZIP archive", b"\x1f\x8b": "compressed by gzip",
    b"\x00\x00\x01\xba": "a video", b"\x1aE\xdf\xa3": "a video",
    b"{": "JSON, such as an error message", b"[": "JSON, such as an error message",
    b"version https://git-lfs": "a pointer of Git LFS: fetch the file itself with `git lfs pull`",
}  # fmt: skip
_HTML_START = re.compile(rb"<(!doctype html|html|head|body)", re.IGNORECASE)
_HEAD_BYTES = 1024


def is_heif(data: bytes) -> bool:
    """Tell whether these are the bytes of a HEIC or HEIF file."""
    return data[4:8] == b"ftyp" and data[8:12] in _HEIF_BRANDS and b"avif" not in data[8:64]


def describe_unreadable(data: bytes, formats: tuple[str, ...]) -> str:
    """Describe bytes that could not be opened as an image, in one sentence.

    Args:
        data: the bytes.
        formats: that can be read.
    """
    name = _find_image_format(data)
    if name in formats:
        return f"the {name} picture is damaged or cut short"
    if name:
        return f"the picture is {name}, which cannot be read; {', '.join(formats)} can"
    kind = _describe_kind(data)
    return f"its {len(data)} bytes are no picture{kind}; {', '.join(formats)} can be read"


def _find_image_format(data: bytes) -> str:
    head = data[:_HEAD_BYTES]
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[4:8] == b"ftyp" and data[8:12] in (b"avif", b"avis"):
        return "AVIF"
    if b"<svg" in head.lower():
        return "SVG"
    if data[128:132] == b"DICM":
        return "DICOM"
    known = _IMAGE_SIGNATURES | _UNREADABLE_IMAGE_SIGNATURES
    return next((name for start, name in known.items() if data.startswith(start)), "")


def _describe_kind(data: bytes) -> str:
    head = data[:_HEAD_BYTES].removeprefix(b"\xef\xbb\xbf").lstrip()
    if not data:
        return ": the file is empty"
    if _HTML_START.search(head):
        return " but an HTML page, such as a login page or an error page"
    if head.startswith(b"<"):
        return " but XML, such as an error message of cloud storage"
    if data[4:8] == b"ftyp":
        return " but a video or the raw file of a camera"
    return next((f" but {name}" for start, name in _OTHER_SIGNATURES.items() if head.startswith(start)), "")
