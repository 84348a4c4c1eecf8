"""COCO run lengths, the format of masks in SQL and in files.

Runs go down the columns and start with background, as in the COCO API; `counts` may start with 0.
Label Studio's bit-packed format is another one: `ris.labelstudio.masks.brush`.
"""

from dataclasses import dataclass, field
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
    counts = _unpack(text)
    try:
        return RLE(size=size, counts=counts, text=text)
    except ValueError as error:
        raise ValueError(f"this text is not a COCO mask of {size[0]} x {size[1]} pixels: {error}") from error


def _unpack(text: str) -> tuple[int, ...]:
    """Undo `rleToString` of the COCO API: 5 bits per character, from the third run on as differences.

    pycocotools' own decoder does not check the text and writes past its buffer when the text is wrong.
    """
    bits = np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8).astype(np.int64) - 48
    if ((bits < 0) | (bits > 63)).any():
        wrong = next(character for character in text if not 48 <= ord(character) < 112)
        raise ValueError(f"{wrong!r} does not occur in COCO run lengths")
    ends = np.flatnonzero(bits & 0x20 == 0)
    if len(bits) != (ends[-1] + 1 if len(ends) else 0):
        raise ValueError("the text ends inside a run")
    if not len(bits):
        return ()
    starts = np.concatenate([[0], ends[:-1] + 1])
    n_characters = ends + 1 - starts
    if n_characters.max() > _MAX_CHARACTERS:
        raise ValueError(f"a run of {n_characters.max()} characters is longer than any picture")
    shifts = 5 * (np.arange(len(bits)) - np.repeat(starts, n_characters))
    values = np.add.reduceat((bits & 0x1F) << shifts, starts)
    values -= np.where(bits[ends] & 0x10, np.int64(1) << (5 * n_characters), 0)
    values[1::2] = np.cumsum(values[1::2])
    values[2::2] = np.cumsum(values[2::2])
    return tuple(values.tolist())
