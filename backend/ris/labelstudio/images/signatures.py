"""What bytes are that are no picture which can be read: so that the sentence about them is true."""

import re

PICTURES = {
    b"\xff\xd8\xff": "JPEG", b"\x89PNG\r\n\x1a\n": "PNG", b"GIF8": "GIF", b"BM": "BMP",
    b"II*\x00": "TIFF", b"MM\x00*": "TIFF", b"II+\x00": "TIFF", b"MM\x00+": "TIFF",
}  # fmt: skip
HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
OTHER_PICTURES = {
    b"\x00\x00\x00\x0cjP  ": "JPEG 2000", b"\xff\x4f\xff\x51": "JPEG 2000",
    b"\x00\x00\x00\x0cJXL ": "JPEG XL", b"\xff\x0a": "JPEG XL", b"8BPS": "a Photoshop file",
    b"\x00\x00\x01\x00": "an icon", b"v/1\x01": "OpenEXR", b"DDS ": "DDS", b"#?RADIANCE": "Radiance HDR",
    b"SIMPLE  =": "FITS",
    b"gimp xcf": "a GIMP file", b"qoif": "QOI",
}  # fmt: skip
OTHERS = {
    b"%PDF": "a PDF document", b"PK\x03\x04": "a ZIP archive", b"\x1f\x8b": "compressed by gzip",
    b"\x00\x00\x01\xba": "a video", b"\x1aE\xdf\xa3": "a video",
    b"{": "JSON, such as an error message", b"[": "JSON, such as an error message",
    b"version https://git-lfs": "a pointer of Git LFS: fetch the file itself with `git lfs pull`",
}  # fmt: skip
HTML = re.compile(rb"<(!doctype html|html|head|body)", re.IGNORECASE)
LOOKED_AT = 1024


def is_heif(data: bytes) -> bool:
    """Whether these are the bytes of a HEIC or HEIF file."""
    return data[4:8] == b"ftyp" and data[8:12] in HEIF_BRANDS and b"avif" not in data[8:64]


def describe(data: bytes, formats: tuple[str, ...]) -> str:
    """One sentence on bytes that could not be opened as a picture.

    Args:
        formats: that can be read.
    """
    name = _picture(data)
    if name in formats:
        return f"the {name} picture is damaged or cut short"
    if name:
        return f"the picture is {name}, which cannot be read; {', '.join(formats)} can"
    kind = _kind(data)
    return f"its {len(data)} bytes are no picture{kind}; {', '.join(formats)} can be read"


def _picture(data: bytes) -> str:
    head = data[:LOOKED_AT]
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[4:8] == b"ftyp" and data[8:12] in (b"avif", b"avis"):
        return "AVIF"
    if b"<svg" in head.lower():
        return "SVG"
    if data[128:132] == b"DICM":
        return "DICOM"
    known = PICTURES | OTHER_PICTURES
    return next((name for start, name in known.items() if data.startswith(start)), "")


def _kind(data: bytes) -> str:
    head = data[:LOOKED_AT].removeprefix(b"\xef\xbb\xbf").lstrip()
    if not data:
        return ": the file is empty"
    if HTML.search(head):
        return " but an HTML page, such as a login page or an error page"
    if head.startswith(b"<"):
        return " but XML, such as an error message of cloud storage"
    if data[4:8] == b"ftyp":
        return " but a video or the raw file of a camera"
    return next((f" but {name}" for start, name in OTHERS.items() if head.startswith(start)), "")
