"""Read the orientation of an image file, and remove its other metadata.

Broken metadata does not make an image unreadable, as in a browser, where annotators see it. One number
counts: EXIF's orientation, if it is written as browsers read it: one SHORT of 1 to 8 in the first directory.
Broken EXIF, XMP and text chunks are ignored.
"""

import re
import struct
from collections.abc import Iterator

_EXIF_HEADER = b"Exif\x00\x00"
_ORIENTATION_TAG, _SHORT_TYPE = 0x0112, 3
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT_CHUNKS = (b"tRNS", b"eXIf")  # beside the chunks that a PNG cannot do without
_JPEG_START, _JPEG_END, _JPEG_SCAN = b"\xff\xd8", 0xD9, 0xDA
_JPEG_KEPT_MARKERS = (0xE0, 0xEE)  # JFIF, and Adobe's colour transform; of APP1, EXIF alone
_JPEG_METADATA_MARKERS = (*range(0xE0, 0xF0), 0xFE)
_MARKER_AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_AVIF_EXIF = re.compile(rb"(infe.{8})Exif", re.DOTALL)


def read_orientation(exif: object) -> int:
    """Read EXIF's orientation, 1 to 8; 1, upright, if it is missing or malformed.

    Source: EXIF 2.32, 4.6.4; the type and the count are checked as in Chromium and Firefox.
    """
    if not isinstance(exif, bytes):
        return 1
    start = 0
    while exif.startswith(_EXIF_HEADER, start):  # cut off once, because each copy may have megabytes
        start += len(_EXIF_HEADER)
    exif = exif[start:]
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(exif[:4])
    if order is None:
        return 1
    try:
        (start,) = struct.unpack_from(order + "L", exif, 4)
        (count,) = struct.unpack_from(order + "H", exif, start)
        for i in range(count):
            tag, kind, number, value = struct.unpack_from(order + "HHLH", exif, start + 2 + 12 * i)
            if tag == _ORIENTATION_TAG:
                return int(value) if (kind, number) == (_SHORT_TYPE, 1) and 1 <= value <= 8 else 1
    except struct.error:
        pass  # cut short
    return 1


def drop_metadata(data: bytes) -> bytes:
    """Remove the metadata of an image file, except its orientation and its transparency.

    Nothing is decompressed. A file that is no PNG, JPEG or AVIF, or has no metadata, stays as it is.
    """
    if data.startswith(_PNG_SIGNATURE):
        return _PNG_SIGNATURE + b"".join(
            chunk for kind, chunk in _read_chunks(data) if _is_needed_chunk(kind)
        )
    if data.startswith(_JPEG_START):
        return _JPEG_START + b"".join(
            data[a:b] for marker, a, b in _read_segments(data) if _is_pixel_segment(data, marker, a)
        )
    if data[4:12] == b"ftypavif" or data[4:12] == b"ftypavis":
        return _AVIF_EXIF.sub(rb"\1none", data)
    return data


def extract_first_jpeg(data: bytes) -> bytes:
    """Extract the first image of an MPO, which is several JPEG files in one, bit by bit as a plain JPEG."""
    kept = [_JPEG_START]
    for marker, start, end in _read_segments(data):
        if not (marker == 0xE2 and data[start + 4 : start + 8] == b"MPF\x00"):
            kept.append(data[start:end])
        if marker == _JPEG_END:
            break
    return b"".join(kept)


def count_jpeg_scans(data: bytes) -> int:
    """Count the scans of a JPEG; those of a progressive one all run over the same pixels."""
    return sum(marker == _JPEG_SCAN for marker, _, _ in _read_segments(data))


def _is_needed_chunk(kind: bytes) -> bool:
    return kind in _PNG_KEPT_CHUNKS or not kind[:1].islower()


def _read_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the kind and the bytes of every whole chunk of a PNG."""
    at = len(_PNG_SIGNATURE)
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">L", data, at)
        yield data[at + 4 : at + 8], data[at : at + 12 + length]
        at += 12 + length


def _is_pixel_segment(data: bytes, marker: int, start: int) -> bool:
    is_exif = marker == 0xE1 and data[start + 4 : start + 10] == _EXIF_HEADER
    return marker not in _JPEG_METADATA_MARKERS or marker in _JPEG_KEPT_MARKERS or is_exif


def _read_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield every segment of a JPEG after its start as (marker, from, to).

    A scan ends where the next marker is. After the end of the image, or where no marker is, the rest is one
    more segment.
    """
    at = len(_JPEG_START)
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker, start = data[at + 1], at
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        if marker == _JPEG_END:
            at += 2
            yield marker, start, at
            break
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == _JPEG_SCAN:
            found = _MARKER_AFTER_SCAN.search(data, at)
            at = found.start() if found else len(data)
        yield marker, start, at
    if data[at : at + 2] == b"\xff\xd9":
        yield _JPEG_END, at, at + 2
        at += 2
    if at < len(data):
        yield 0, at, len(data)
