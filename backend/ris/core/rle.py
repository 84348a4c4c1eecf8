"""COCO run lengths, the format of masks in SQL and in files.

Runs go down the columns and start with background, as in the COCO API; `counts` may start with 0.
Label Studio's bit-packed format is another one: `ris.labelstudio.masks.brush`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco

_MAX_CHARACTERS = 8  # of one run in COCO's text: 40 bits


@dataclass(frozen=True, slots=True)
class RLE:
    """One mask as COCO run lengths.

    Attributes:
        size: (height, width) in pixels.
        counts: run lengths, column-major, background first; they sum to height * width.
        text: the compressed text that the mask was read from, so that it need not be made again; or "".

    Raises:
        ValueError: the counts do not cover the size exactly.
    """

    size: tuple[int, int]
    counts: tuple[int, ...]
    text: str = field(default="", compare=False, repr=False)

    def __post_init__(self) -> None:
        height, width = self.size
        if height < 1 or width < 1 or min(self.counts, default=-1) < 0 or sum(self.counts) != height * width:
            raise ValueError(
                f"run lengths must be at least 0 and cover {height} x {width} = {height * width} pixels, "
                f"got {len(self.counts)} runs over {sum(self.counts)}"
            )

    @property
    def area_px(self) -> int:
        """Pixels inside the mask."""
        return sum(self.counts[1::2])


def encode_rle(mask: NDArray[np.bool_]) -> RLE:
    """Encode a mask bool [H, W] as run lengths."""
    flat = np.asarray(mask, dtype=np.bool_).ravel(order="F")
    edges = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    runs = np.diff(np.concatenate([[0], edges, [flat.size]]))
    counts = [0, *runs.tolist()] if flat[0] else runs.tolist()
    return RLE(size=(mask.shape[0], mask.shape[1]), counts=tuple(counts))


def decode_rle(rle: RLE) -> NDArray[np.bool_]:
    """Decode run lengths to a mask bool [H, W]."""
    values = np.arange(len(rle.counts)) % 2 == 1
    return np.repeat(values, rle.counts).reshape(rle.size, order="F")


def enlarge_rle(rle: RLE, size: tuple[int, int]) -> RLE:
    """Enlarge a mask to another (height, width), each pixel from the nearest one.

    It works on runs of one column each: no dense mask of a large image is made.
    """
    height, width = rle.size
    ends = np.cumsum(rle.counts, dtype=np.int64)
    edges = np.unique(np.concatenate([[0], ends[ends < height * width], np.arange(width) * height]))
    is_inside = np.searchsorted(ends, edges, side="right") % 2 == 1
    # The new column x shows the old column x * width // new width, and rows alike.
    first_row = np.concatenate([-(-np.arange(height) * size[0] // height), [size[0]]])
    n_rows = (
        first_row[np.append(edges[1:], height * width) - edges // height * height] - first_row[edges % height]
    )
    n_columns = np.diff(np.append(-(-np.arange(width) * size[1] // width), size[1]))
    by_column = np.split(np.arange(len(edges)), np.searchsorted(edges, np.arange(1, width) * height))
    order = np.concatenate([np.tile(runs, n) for runs, n in zip(by_column, n_columns, strict=True)])
    return _merge_runs(is_inside[order], n_rows[order], size)


def _merge_runs(is_inside: NDArray[np.bool_], lengths: NDArray[np.int64], size: tuple[int, int]) -> RLE:
    """Make a mask of runs, of which several in a row may be inside, or outside."""
    starts = np.flatnonzero(np.concatenate([[True], is_inside[1:] != is_inside[:-1]]))
    counts = np.add.reduceat(lengths, starts).tolist()
    return RLE(size, tuple([0, *counts] if is_inside[0] else counts))


def compute_xywh_box(rle: RLE) -> list[float]:
    """Compute the tight box in COCO's form, [x, y, width, height] in pixels; zeros for an empty mask."""
    return [float(value) for value in coco.toBbox(_compress(rle))]


def to_string(rle: RLE) -> str:
    """Convert to the compressed text of the COCO API, e.g. for `segmentation["counts"]` and for SQL.

    A mask that was read from such a text gives that text.
    """
    return rle.text or str(_compress(rle)["counts"].decode("ascii"))


def _compress(rle: RLE) -> dict[str, Any]:
    height, width = rle.size
    if rle.text:
        return {"size": [height, width], "counts": rle.text.encode("ascii")}
    compressed: dict[str, Any] = coco.frPyObjects(
        {"size": [height, width], "counts": list(rle.counts)}, height, width
    )
    return compressed


def from_string(text: str, size: tuple[int, int]) -> RLE:
    """Read the compressed text of the COCO API; the inverse of `to_string`.

    Args:
        text: as `to_string` writes it.
        size: (height, width) in pixels.

    Raises:
        ValueError: the text is not COCO run lengths of this size.
    """
    return from_strings([text], [size])[0]


def from_strings(texts: Sequence[str], sizes: Sequence[tuple[int, int]]) -> list[RLE]:
    """Read many texts as `from_string` reads each, at a third of the cost for texts of 500 runs.

    Raises:
        ValueError: one of the texts is not COCO run lengths of its size.
    """
    return [
        _make_rle(counts, text, size)
        for counts, text, size in zip(_unpack_texts(texts), texts, sizes, strict=True)
    ]


def _make_rle(counts: tuple[int, ...], text: str, size: tuple[int, int]) -> RLE:
    try:
        return RLE(size, counts, text)
    except ValueError as error:
        raise ValueError(f"this text is not a COCO mask of {size[0]} x {size[1]} pixels: {error}") from error


def _unpack_texts(texts: Sequence[str]) -> list[tuple[int, ...]]:
    """Undo `rleToString` of the COCO API: 5 bits per character, from the third run on as differences.

    pycocotools' own decoder does not check the text and writes past its buffer when the text is wrong.
    """
    if not texts:
        return []
    encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
    bits = np.frombuffer(b"".join(encoded), np.uint8) - np.uint8(48)  # what is below 48 becomes large
    if bits.max(initial=0) > 63:
        wrong = next(character for character in "".join(texts) if not 48 <= ord(character) < 112)
        raise ValueError(f"{wrong!r} does not occur in COCO run lengths")
    stops = np.cumsum([len(text) for text in encoded])
    is_end = np.append(bits & 0x20 == 0, True)
    if not is_end[stops - 1].all():  # the last one is of an empty text at the beginning
        raise ValueError("the text ends inside a run")
    ends = np.flatnonzero(is_end[:-1])
    n_characters = np.diff(ends, prepend=-1)
    if n_characters.max(initial=0) > _MAX_CHARACTERS:
        raise ValueError(f"a run of {n_characters.max()} characters is longer than any picture")
    differences = _join_bits(bits, ends, n_characters)
    run_stops = np.searchsorted(ends, stops)
    _sum_every_second(differences, np.concatenate([[0], run_stops[:-1]]), run_stops)
    counts = differences.tolist()
    return [tuple(counts[start:stop]) for start, stop in pairwise([0, *run_stops.tolist()])]


def _join_bits(
    bits: NDArray[np.uint8], ends: NDArray[np.int64], n_characters: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Join the bits of each run's characters; the last character has the highest bits, and the sign."""
    values = (bits[ends] & 0x1F).astype(np.int64)
    values -= (bits[ends] & 0x10).astype(np.int64) << 1
    for place in range(1, int(n_characters.max(initial=0))):
        longer = np.flatnonzero(n_characters > place)
        values[longer] = (values[longer] << 5) | (bits[ends[longer] - place] & 0x1F)
    return values


def _sum_every_second(values: NDArray[np.int64], starts: NDArray[np.int64], stops: NDArray[np.int64]) -> None:
    """Replace each text's values, but its first, by the sums of every second one up to them."""
    place = np.arange(len(values)) - np.repeat(starts, stops - starts)
    for parity in (0, 1):
        chosen = np.flatnonzero((place % 2 == parity) & (place > 0))
        sums = np.cumsum(values[chosen])
        first = np.searchsorted(chosen, starts)  # of each text among the chosen ones
        before = np.concatenate([[0], sums])[first]
        values[chosen] = sums - np.repeat(before, np.diff(first, append=len(chosen)))
