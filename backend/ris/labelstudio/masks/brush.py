"""Encode and decode masks as Label Studio's brush RLE: a bit stream as a JSON array of bytes.

Most significant bit first: 32 bits number of values (height x width x 4); 5 bits word size - 1; four times 4
bits run-field size - 1; then blocks of 1 bit flag, 2 bits index of the run field, run length - 1 in that many
bits, and then one value that repeats (flag 1) or that many values (flag 0). Values are R, G, B and A of each
pixel, row by row; only A counts.

The format is that of https://github.com/thi-ng/umbrella (rle-pack), which the editor uses; the SDK's
`converter.brush` writes the same bytes. Both directions are array code, except for one walk over the blocks.
"""

import math
import struct
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from ris.errors import RegionError

_WORD_BITS = 8
_RUN_BITS = (3, 4, 8, 16)  # as SDK and editor write; streams with others are read too
_HEADER_BITS = 32 + 5 + 4 * 4
_MAX_RUN_LENGTH = 2**16
# The editor multiplies alphas by .6 and has no setting for that. More than half of 255: `is_inside` holds.
_FILL_ALPHA, _EDGE_ALPHA = 160, 255
_EDGE_SHARE = 0.003  # of the image's diagonal: the width of the edge


def shade_mask(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Give a mask alphas: its edge is strong, and the image is seen through its inside.

    `is_inside` finds the same mask in the alphas, also after strokes of the editor's brush.

    Args:
        mask: bool [H, W].

    Returns:
        uint8 [H, W]; 0 outside of the mask.
    """
    depth = max(1, round(_EDGE_SHARE * math.hypot(*mask.shape)))
    square = np.ones((2 * depth + 1, 2 * depth + 1), np.uint8)
    inside = cv2.erode(mask.astype(np.uint8), square, borderType=cv2.BORDER_CONSTANT, borderValue=(0,))
    return np.where(inside == 1, _FILL_ALPHA, np.where(mask, _EDGE_ALPHA, 0)).astype(np.uint8)


def encode_brush(mask: NDArray[np.bool_]) -> list[int]:
    """Encode a mask, bool [H, W], to the bytes that the SDK's `mask2rle` writes for the mask at 255."""
    return encode_alphas(mask.astype(np.uint8) * 255)


def encode_alphas(alphas: NDArray[np.uint8]) -> list[int]:
    """Encode the alpha of each pixel, uint8 [H, W], as the SDK's `mask2rle` does."""
    starts, values = _find_runs(np.ascontiguousarray(alphas).ravel())
    lengths = np.diff(np.append(starts, alphas.size)) * 4
    lengths, values, is_part = _split_long_runs(lengths, values)
    kind = np.searchsorted([8, 16, 256], lengths)
    kind[is_part] = 3  # the rest of a run over 65536 keeps the widest field
    run_bits = np.array(_RUN_BITS)[kind]
    block = (4 + kind) << run_bits | (lengths - 1)
    blocks = block << _WORD_BITS | values.astype(np.int64)
    return _pack_blocks(alphas.size * 4, blocks, 3 + run_bits + _WORD_BITS)


def _find_runs(flat: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Find where each run of equal values starts, and its value."""
    starts = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1])
    return starts, flat[starts]


def _split_long_runs(
    lengths: NDArray[np.int64], values: NDArray[np.uint8]
) -> tuple[NDArray[np.int64], NDArray[np.uint8], NDArray[np.bool_]]:
    """Split runs over 65536 into several; the third array marks the parts of such runs."""
    n_parts = (lengths - 1) // _MAX_RUN_LENGTH + 1
    if (n_parts == 1).all():
        return lengths, values, np.zeros(len(lengths), np.bool_)
    parts = np.full(n_parts.sum(), _MAX_RUN_LENGTH)
    last = np.cumsum(n_parts) - 1
    parts[last] = lengths - (n_parts - 1) * _MAX_RUN_LENGTH
    return parts, np.repeat(values, n_parts), np.repeat(n_parts > 1, n_parts)


def _pack_blocks(n_values: int, blocks: NDArray[np.int64], n_bits: NDArray[np.int64]) -> list[int]:
    """Write header and blocks one after the other, padded with zeros to whole bytes."""
    ends = _HEADER_BITS + np.cumsum(n_bits)
    total = int(ends[-1])
    bits = np.zeros(total + 8 - total % 8, np.uint8)  # a whole zero byte when nothing is to fill
    header = f"{n_values:032b}{_WORD_BITS - 1:05b}" + "".join(f"{size - 1:04b}" for size in _RUN_BITS)
    bits[:_HEADER_BITS] = np.frombuffer(header.encode(), np.uint8) - ord("0")
    for width in np.unique(n_bits):
        chosen = n_bits == width
        steps = np.arange(width)
        places = (ends[chosen] - width)[:, None] + steps
        bits[places] = (blocks[chosen][:, None] >> (width - 1 - steps)) & 1
    return list(np.packbits(bits).tobytes())


def decode_brush(values: Sequence[int], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Decode a region's bytes to bool [H, W]; `is_inside` says which alphas count.

    Args:
        values: the region's `rle`.
        size: (height, width) that the region claims.

    Raises:
        RegionError: these are no bytes, the number of values differs from the size's, or the stream is cut
            short. Nothing large is allocated before that is known.
    """
    stream = _make_stream(values)
    n_values = size[0] * size[1] * 4
    run_bits = _read_header(stream, n_values)
    starts = _find_block_starts(stream, run_bits, n_values)
    runs, alphas = _read_runs(stream, starts, run_bits)
    edges = np.concatenate([[0], np.cumsum(runs)])
    if edges[-1] != n_values:
        raise RegionError(f"the brush stream holds {edges[-1]} values, its size needs {n_values}")
    # The block over values [a, b) holds alpha, value 4k + 3, of the pixels from a // 4 to b // 4.
    n_pixels = np.diff(edges // 4)
    has_alpha = n_pixels > 0
    return np.repeat(is_inside(alphas[has_alpha]), n_pixels[has_alpha]).reshape(size)


def is_inside(alphas: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Tell which pixels of a painted mask are inside: those with more than half of its largest alpha.

    The editor's brush paints with 255 and a soft rim. The SDK's `contour2rle` writes 100, and its `mask2rle`
    the values of the mask, which may be 1. The editor shows them all.
    """
    return np.asarray(alphas > alphas.max(initial=0) // 2)


def _make_stream(values: Sequence[int]) -> NDArray[np.uint8]:
    try:
        data = bytes(values)
    except (TypeError, ValueError) as error:
        raise RegionError("a brush region's rle must be a list of bytes, 0 to 255") from error
    if len(data) * 8 < _HEADER_BITS:
        raise RegionError(f"a brush stream has at least 7 bytes, got {len(data)}")
    # Three zero bytes behind the end, so that reading 16 bits at the last bit stays inside.
    return np.frombuffer(data + bytes(3), np.uint8)


def _read_header(stream: NDArray[np.uint8], n_values: int) -> NDArray[np.int64]:
    header = int.from_bytes(stream[:7].tobytes(), "big") >> 3
    claimed, word_bits = header >> 21, (header >> 16 & 31) + 1
    if claimed != n_values:
        raise RegionError(f"the brush stream claims {claimed} values, its size needs {n_values}")
    if word_bits != _WORD_BITS:
        raise RegionError(f"the brush stream has values of {word_bits} bits, 8 were expected")
    return np.array([(header >> shift & 15) + 1 for shift in (12, 8, 4, 0)])


def _read_bits16(stream: NDArray[np.uint8], places: NDArray[np.int64]) -> NDArray[np.int64]:
    """Read the 16 bits from each bit position on, as a number."""
    byte = places >> 3
    three = stream[byte].astype(np.int64) << 16 | stream[byte + 1].astype(np.int64) << 8 | stream[byte + 2]
    return np.asarray(three >> (8 - (places & 7)) & 0xFFFF)


def _read_run_fields(
    stream: NDArray[np.uint8], places: NDArray[np.int64], run_bits: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], NDArray[np.int64], NDArray[np.int64]]:
    """Read of the blocks at these bits: whether they repeat, their run lengths, where their values start."""
    head = _read_bits16(stream, places) >> 13
    width = run_bits[head & 3]
    inside = np.minimum(places + 3, 8 * (len(stream) - 3))
    return head > 3, (_read_bits16(stream, inside) >> (16 - width)) + 1, places + 3 + width


def _find_block_starts(
    stream: NDArray[np.uint8], run_bits: NDArray[np.int64], n_values: int
) -> NDArray[np.int64]:
    """Find the bit at which each block starts.

    Where a block ends is known only from its start, so the chain is walked with one Python step per block.
    That costs less than array code that looks at every bit: a block has twelve and more.
    """
    data, widths = stream.tobytes(), run_bits.tolist()
    end = 8 * (len(data) - 3)
    word_at, starts = struct.Struct(">I").unpack_from, []
    place, missing = _HEADER_BITS, n_values
    while missing > 0:
        if place >= end:
            raise RegionError(f"the brush stream ends {missing} values early")
        starts.append(place)
        shift = 29 - (place & 7)
        (word,) = word_at(data, place >> 3)  # a flag, an index and a run length: 26 bits at most
        head = word >> shift & 7
        width = widths[head & 3]
        run = ((word >> (shift - width)) & ((1 << width) - 1)) + 1
        missing -= run
        place += 3 + width + _WORD_BITS * (1 if head > 3 else run)
    if place > end:
        raise RegionError("the brush stream is cut short inside its last block")
    return np.array(starts)


def _read_runs(
    stream: NDArray[np.uint8], starts: NDArray[np.int64], run_bits: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Read run lengths and values of all blocks; a block of single values becomes runs of one."""
    repeats, runs, values_at = _read_run_fields(stream, starts, run_bits)
    if repeats.all():
        return runs, _read_bits16(stream, values_at) >> 8
    copies = np.where(repeats, 1, runs)
    first = np.repeat(np.cumsum(copies) - copies, copies)
    places = np.repeat(values_at, copies) + _WORD_BITS * (np.arange(copies.sum()) - first)
    return np.where(np.repeat(repeats, copies), np.repeat(runs, copies), 1), _read_bits16(stream, places) >> 8
