# ruff: noqa: E501 - tables of bytes
"""Image files that are damaged, lie about themselves or cost much, by what is wrong with them.

The kinds come from advisories about Pillow, libtiff, libpng, libwebp and libjpeg. All are small.
"""

import io
import random
import struct
import zlib
from collections.abc import Iterator

import numpy as np
from PIL import Image, features

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", *(["AVIF"] if features.check("avif") else []))
SIZE = (40, 24)
PIXELS = np.random.default_rng(0).integers(0, 256, (SIZE[1], SIZE[0], 3)).astype(np.uint8)


def save(picture: Image.Image, kind: str, **more: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **more)
    return out.getvalue()


def make_picture(kind: str, mode: str = "RGB", size: tuple[int, int] = SIZE, **more: object) -> bytes:
    return save(Image.fromarray(PIXELS).resize(size).convert(mode), kind, **more)


def make_hostile_pictures() -> dict[str, bytes]:
    """Make all files, by a name that says what is wrong."""
    return dict([*_damage(), *_lie_png(), *_lie_jpeg(), *_lie_gif(), *_lie_bmp(), *_lie_tiff(), *_lie_webp()])


def _damage() -> Iterator[tuple[str, bytes]]:
    yield "nothing", b""
    yield "zeros", bytes(1000)
    for kind in FORMATS:
        whole = make_picture(kind)
        for share in (0.02, 0.1, 0.5, 0.9, 0.99):
            yield f"{kind} cut at {share}", whole[: int(len(whole) * share)]
        yield f"{kind} in which zeros follow", whole + bytes(100_000)
        yield f"{kind} twice", whole * 2
        for seed in range(12):
            yield f"{kind} with flipped bits {seed}", _flip_bits(whole, seed)
            yield f"{kind} with a flipped head {seed}", _flip_bits(whole[:64], seed) + whole[64:]
        yield f"{kind} of one pixel", make_picture(kind, size=(1, 1))


def _flip_bits(data: bytes, seed: int) -> bytes:
    chance, changed = random.Random(seed), bytearray(data)
    for _ in range(1 + seed):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def make_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">L", len(content)) + kind + content + struct.pack(">L", zlib.crc32(kind + content))


def make_png(
    width: int, height: int, *, bits: int = 8, colour: int = 2, interlaced: int = 0, before: bytes = b"",
    data: bytes = b"",
) -> bytes:  # fmt: skip
    """Make a PNG with any head and any compressed data."""
    head = make_chunk(b"IHDR", struct.pack(">LLBBBBB", width, height, bits, colour, 0, 0, interlaced))
    return b"\x89PNG\r\n\x1a\n" + head + before + make_chunk(b"IDAT", data) + make_chunk(b"IEND", b"")


def _lie_png() -> Iterator[tuple[str, bytes]]:
    few, many = zlib.compress(bytes(100)), zlib.compress(bytes(20_000_000), 9)
    for width, height in ((0, 5), (5, 0), (2**31 - 1, 1), (2**31 - 1, 2**31 - 1), (8000, 7500), (1, 65_535)):
        yield f"PNG that says {width} x {height}", make_png(width, height, data=few)
        yield f"interlaced PNG that says {width} x {height}", make_png(width, height, interlaced=1, data=few)
    yield "PNG with much more data than pixels", make_png(4, 4, data=many)
    yield "PNG without data", make_png(4, 4)
    yield "PNG with 3 bits", make_png(4, 4, bits=3, data=few)
    yield "PNG of colour type 5", make_png(4, 4, colour=5, data=few)
    yield "PNG with a palette that is missing", make_png(4, 4, colour=3, data=few)
    index = zlib.compress(b"".join(b"\x00" + bytes([255, 254, 1, 0]) for _ in range(4)))
    one = make_chunk(b"PLTE", b"\x01\x02\x03")
    yield "PNG with indices beyond the palette", make_png(4, 4, colour=3, before=one, data=index)
    long = make_chunk(b"tRNS", bytes(5000))
    yield "PNG with more transparency than palette", make_png(4, 4, colour=3, before=one + long, data=index)
    yield "PNG with an empty palette", make_png(4, 4, colour=3, before=make_chunk(b"PLTE", b""), data=index)
    note = zlib.compress(bytes(5_000_000), 9)
    notes = {
        "zTXt": b"a\x00\x00" + note,
        "iTXt": b"a\x00\x01\x00\x00\x00" + note,
        "iCCP": b"a\x00\x00" + note,
        "eXIf": b"Exif\x00\x00" * 200_000,
        "acTL": struct.pack(">LL", 2**31 - 1, 0),
        "fcTL": bytes(26),
    }
    pixels = zlib.compress(b"".join(b"\x00" + bytes(12) for _ in range(4)))
    for kind, content in notes.items():
        yield f"PNG with {kind}", make_png(4, 4, before=make_chunk(kind.encode(), content), data=pixels)
        many_notes = make_chunk(kind.encode(), content) * 20
        yield f"PNG with 20 {kind}", make_png(4, 4, before=many_notes, data=pixels)
    yield "PNG with a chunk longer than the file", make_png(4, 4, data=pixels)[:33] + b"\x7f\xff\xff\xffIDAT"


def make_segment(marker: int, content: bytes) -> bytes:
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(content) + 2) + content


def _lie_jpeg() -> Iterator[tuple[str, bytes]]:
    whole = make_picture("JPEG")
    at = whole.index(b"\xff\xc0") + 5
    for width, height in ((0, 24), (40, 0), (65_535, 65_535), (8000, 7500), (8000, 80), (1, 24)):
        yield (
            f"JPEG that says {width} x {height}",
            whole[:at] + struct.pack(">HH", height, width) + whole[at + 4 :],
        )
    yield "JPEG with 12 bits", whole[: at - 1] + b"\x0c" + whole[at:]
    yield "JPEG with 255 components", whole[: at + 4] + b"\xff" + whole[at + 5 :]
    yield "arithmetic JPEG", whole.replace(b"\xff\xc0", b"\xff\xc9")
    yield "lossless JPEG", whole.replace(b"\xff\xc0", b"\xff\xc3")
    yield "JPEG with CMYK", make_picture("JPEG", "CMYK")
    adobe = make_segment(0xEE, b"Adobe\x00\x64\x00\x00\x00\x00\x02")
    yield "JPEG with YCCK that says so", whole[:2] + adobe + whole[2:]
    progressive = make_picture("JPEG", progressive=True)
    last = progressive.rindex(b"\xff\xda")
    yield "JPEG with 5000 scans", progressive[:last] + progressive[last:-2] * 5000 + progressive[-2:]
    profile = b"".join(
        make_segment(0xE2, b"ICC_PROFILE\x00" + bytes([i, 255]) + bytes(60_000)) for i in range(255)
    )
    yield "JPEG with a profile of 15 MB", whole[:2] + profile + whole[2:]
    yield "JPEG with EXIF headers", whole[:2] + make_segment(0xE1, b"Exif\x00\x00" * 10_000) + whole[2:]
    loop = b"Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x69\x87\x04\x00\x01\x00\x00\x00\x08\x00\x00\x00\x08\x00\x00\x00"
    yield "JPEG with EXIF that points at itself", whole[:2] + make_segment(0xE1, loop) + whole[2:]
    laughs = b"".join(b'<!ENTITY a%d "%s">' % (i, b"&a%d;" % (i - 1) * 10) for i in range(1, 12))
    xmp = b"http://ns.adobe.com/xap/1.0/\x00<!DOCTYPE x [" + laughs + b"]><x>&a11;</x>"
    yield "JPEG with XMP that multiplies", whole[:2] + make_segment(0xE1, xmp) + whole[2:]
    mpf = b"MPF\x00II*\x00\x08\x00\x00\x00\x01\x00\x01\xb0\x04\x00\x01\x00\x00\x00\xff\xff\xff\xff\x00\x00\x00\x00"
    yield "MPO of four billion pictures", whole[:2] + make_segment(0xE2, mpf) + whole[2:]
    yield "JPEG that restarts at each block", whole[:2] + make_segment(0xDD, b"\x00\x01") + whole[2:]


def _lie_gif() -> Iterator[tuple[str, bytes]]:
    def gif(
        screen: tuple[int, int], frame: tuple[int, int], place: tuple[int, int] = (0, 0), n: int = 1
    ) -> bytes:
        head = b"GIF89a" + struct.pack("<HHBBB", *screen, 0x80, 0, 0) + b"\x00\x00\x00\xff\xff\xff"
        one = b"," + struct.pack("<HHHHB", *place, *frame, 0) + b"\x02\x02\x44\x01\x00"
        return head + one * n + b";"

    yield "GIF of one pixel on a screen of 4 gigapixels", gif((65_535, 65_535), (1, 1))
    yield "GIF with a frame larger than its screen", gif((1, 1), (65_535, 65_535))
    yield "GIF with a frame outside of its screen", gif((10, 10), (10, 10), (65_000, 65_000))
    yield "GIF with a frame without pixels", gif((10, 10), (0, 0))
    yield "GIF with a screen without pixels", gif((0, 0), (0, 0))
    yield "GIF of 60 megapixels in 40 bytes", gif((8000, 7500), (8000, 7500))
    yield "GIF of 10,000 frames", gif((8, 8), (8, 8), n=10_000)
    yield "GIF with codes of 200 bits", gif((8, 8), (8, 8)).replace(b"\x02\x02\x44", b"\xc8\x02\x44")


def _lie_bmp() -> Iterator[tuple[str, bytes]]:
    whole = make_picture("BMP")

    def change(place: int, layout: str, *values: int) -> bytes:
        return whole[:place] + struct.pack(layout, *values) + whole[place + struct.calcsize(layout) :]

    for width, height in (
        (0, 24),
        (40, 0),
        (-40, 24),
        (40, -24),
        (40, -(2**31)),
        (2**31 - 1, 1),
        (8000, 7500),
    ):
        yield f"BMP that says {width} x {height}", change(18, "<ll", width, height)
    yield "BMP whose pixels begin nowhere", change(10, "<L", 2**32 - 1)
    yield "BMP with a head of 4 GB", change(14, "<L", 2**32 - 1)
    for packing in (1, 2, 3, 4, 5, 9):
        yield f"BMP with compression {packing}", change(30, "<L", packing)
    for bits in (0, 1, 4, 8, 16, 32, 64):
        yield f"BMP with {bits} bits", change(28, "<H", bits)
    grey = make_picture("BMP", "L")
    yield "BMP with four billion colours", grey[:46] + b"\xff\xff\xff\xff" + grey[50:]
    yield "BMP with runs of 60 megapixels", _make_rle_bmp(8000, 7500)


def _make_rle_bmp(width: int, height: int) -> bytes:
    head = struct.pack("<LllHHLLllLL", 40, width, height, 1, 8, 1, 0, 0, 0, 256, 0)
    runs = b"\xff\x01" * 100 + b"\x00\x01"
    return b"BM" + struct.pack("<LLL", 54 + 1024 + len(runs), 0, 54 + 1024) + head + bytes(1024) + runs


def make_tiff(
    entries: dict[int, tuple[int, tuple[int, ...]]], *, data: bytes = b"", following: int = 0
) -> bytes:
    """Make a TIFF of tags: {tag: (type, values)}; types are 3 for SHORT and 4 for LONG. Data lies at byte 8."""
    place = 8 + len(data)
    rows, extra = b"", b""
    after = place + 2 + 12 * len(entries) + 4
    for tag, (kind, values) in sorted(entries.items()):
        packed = struct.pack(f"<{len(values)}{'H' if kind == 3 else 'L'}", *values)
        if len(packed) > 4:
            packed, extra = struct.pack("<L", after + len(extra)), extra + packed
        rows += struct.pack("<HHL", tag, kind, len(values)) + packed.ljust(4, b"\x00")
    return (
        b"II*\x00" + struct.pack("<L", place) + data + struct.pack("<H", len(entries)) + rows
        + struct.pack("<L", following) + extra
    )  # fmt: skip


def _lie_tiff() -> Iterator[tuple[str, bytes]]:
    packed = zlib.compress(bytes(16 * 16 * 3))
    plain = {
        256: (4, (16,)), 257: (4, (16,)), 258: (3, (8, 8, 8)), 259: (3, (8,)), 262: (3, (2,)), 273: (4, (8,)),
        277: (3, (3,)), 278: (4, (16,)), 279: (4, (len(packed),)),
    }  # fmt: skip
    tiled = {k: v for k, v in plain.items() if k not in (273, 278, 279)}
    tiles = {322: (4, (16,)), 323: (4, (16,)), 324: (4, (8,)), 325: (4, (len(packed),))}
    yield "TIFF in strips", make_tiff(plain, data=packed)
    yield "TIFF in tiles", make_tiff(tiled | tiles, data=packed)
    changes: dict[str, dict[int, tuple[int, tuple[int, ...]]]] = {
        "0 x 16": {256: (4, (0,))}, "16 x 0": {257: (4, (0,))}, "60 megapixels": {256: (4, (8000,)), 257: (4, (7500,))},
        "2 billion wide": {256: (4, (2**31 - 1,))}, "4 billion square": {256: (4, (2**32 - 1,)), 257: (4, (2**32 - 1,))},
        "65535 samples a pixel": {277: (3, (65_535,))}, "no samples": {277: (3, (0,))},
        "64 bits": {258: (3, (64, 64, 64))}, "0 bits": {258: (3, (0, 0, 0))}, "70000 bit depths": {258: (3, (8,) * 70_000)},
        "strips of 0 rows": {278: (4, (0,))}, "strips of 4 billion rows": {278: (4, (2**32 - 1,))},
        "a strip of 4 GB": {279: (4, (2**32 - 1,))}, "a strip at 4 GB": {273: (4, (2**32 - 1,))},
        "100000 strips": {273: (4, (8,) * 100_000), 279: (4, (len(packed),) * 100_000)},
        "YCbCr without a scale": {262: (3, (6,)), 530: (3, (0, 0))}, "YCbCr in 4 x 4": {262: (3, (6,)), 530: (3, (4, 4))},
        "a palette that is missing": {262: (3, (3,))}, "CIELab": {262: (3, (8,))}, "two planes": {284: (3, (2,))},
        "fill order 2": {266: (3, (2,))}, "predictor 3": {317: (3, (3,))}, "orientation 9": {274: (3, (9,))},
        "floats of 8 bits": {339: (3, (3, 3, 3))}, "10 extra samples": {338: (3, (1,) * 10)},
    }  # fmt: skip
    for name, change in changes.items():
        yield f"TIFF with {name}", make_tiff(plain | change, data=packed)
        yield f"tiled TIFF with {name}", make_tiff(tiled | tiles | change, data=packed)
    for code in (1, 2, 3, 4, 5, 6, 7, 32773, 32946, 34676, 34712, 34925, 50000, 50001, 65000):
        yield f"TIFF with compression {code}", make_tiff(plain | {259: (3, (code,))}, data=packed)
    for side in (0, 1, 65_520, 2**31 - 16):
        odd = {322: (4, (side,)), 323: (4, (side,))}
        yield f"TIFF with tiles of {side}", make_tiff(tiled | tiles | odd, data=packed)
    bomb = zlib.compress(bytes(50_000_000), 9)
    yield "TIFF with a strip that unpacks to 50 MB", make_tiff(plain | {279: (4, (len(bomb),))}, data=bomb)
    yield "TIFF whose directory follows itself", make_tiff(plain, data=packed, following=8 + len(packed))
    yield (
        "TIFF of floats that are no numbers",
        save(Image.fromarray(np.full((4, 4), np.nan, np.float32)), "TIFF"),
    )
    yield "TIFF of infinite floats", save(Image.fromarray(np.full((4, 4), np.inf, np.float32)), "TIFF")
    yield "TIFF of negative floats", save(Image.fromarray(np.full((4, 4), -1, np.float32)), "TIFF")
    yield (
        "BigTIFF that says nothing",
        b"II+\x00\x08\x00\x00\x00" + struct.pack("<Q", 16) + struct.pack("<Q", 2**63),
    )


def _lie_webp() -> Iterator[tuple[str, bytes]]:
    lossy, exact = make_picture("WEBP"), make_picture("WEBP", lossless=True)
    yield "WebP whose length is 0", lossy[:4] + bytes(4) + lossy[8:]
    yield "WebP whose length is 4 GB", lossy[:4] + b"\xff" * 4 + lossy[8:]
    canvas = b"VP8X" + struct.pack("<L", 10) + b"\x00" * 4 + b"\xff\xff\xff\xff\xff\xff"
    for name, whole in (("lossy", lossy), ("lossless", exact)):
        body = canvas + whole[12:]
        yield (
            f"{name} WebP on a canvas of 280 terapixels",
            b"RIFF" + struct.pack("<L", 4 + len(body)) + b"WEBP" + body,
        )
    yield "lossless WebP that says 16384 x 16384", exact[:21] + b"\xff\xff\xff\x0f" + exact[25:]
    frames = [Image.new("RGB", (8, 8), (i, 0, 0)) for i in range(200)]
    yield "WebP of 200 frames", save(frames[0], "WEBP", save_all=True, append_images=frames[1:])
    if features.check("avif"):
        avif = make_picture("AVIF")
        at = avif.index(b"ispe") + 8
        for width, height in ((0, 0), (8000, 7500), (2**32 - 1, 2**32 - 1)):
            yield (
                f"AVIF that says {width} x {height}",
                avif[:at] + struct.pack(">LL", width, height) + avif[at + 8 :],
            )
