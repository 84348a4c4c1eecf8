"""Compare the brush codec with those of label-studio-sdk and pycocotools: `python -m benchmarks.brush`.

The milliseconds depend on the machine and its load. Quote the ratios.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
from label_studio_sdk.converter.brush import decode_rle, mask2rle
from pycocotools import mask as coco
from rich.console import Console
from rich.table import Table

from benchmarks.processor import print_processor
from ris.labelstudio.masks import brush

SIZES = ((480, 640), (1080, 1920), (3000, 4000))
ROUNDS = 5


def make_smooth_mask(height: int, width: int) -> np.ndarray:
    """Make a mask of three ellipses, bool [height, width], like that of an ordinary object."""
    y, x = np.mgrid[:height, :width]
    mask = np.zeros((height, width), np.bool_)
    for cy, cx, ry, rx in ((0.4, 0.3, 0.2, 0.15), (0.6, 0.6, 0.25, 0.2), (0.5, 0.45, 0.1, 0.3)):
        mask |= ((y / height - cy) / ry) ** 2 + ((x / width - cx) / rx) ** 2 < 1
    return mask


def make_ragged_mask(height: int, width: int) -> np.ndarray:
    """Make the smooth mask with a patch of noise, which has many short runs."""
    mask = make_smooth_mask(height, width)
    part = np.s_[height // 3 : height // 2, width // 3 : width // 2]
    mask[part] = np.random.default_rng(0).random(mask[part].shape) > 0.5
    return mask


def measure_median_ms(work: Callable[[], object]) -> float:
    """Measure the median time of a function in ms."""
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - started))
    return statistics.median(times)


def main() -> None:
    """Print a row per mask."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    print_processor()
    table = Table("mask", "bytes", title=f"brush RLE, milliseconds, median of {ROUNDS}")
    for heading in ("encode SDK", "ours", "ratio", "coco", "decode SDK", "ours", "ratio", "coco"):
        table.add_column(heading, justify="right")
    for size in SIZES:
        for make in (make_smooth_mask, make_ragged_mask):
            table.add_row(*compare_codecs(make(*size), f"{size[1]}x{size[0]} {make.__name__}"))
    Console().print(table)


def compare_codecs(mask: np.ndarray, name: str) -> list[str]:
    """Check that both codecs agree on a mask, and measure them; return the cells of a row."""
    grey = mask.astype(np.uint8) * 255
    fortran = np.asfortranarray(mask.astype(np.uint8))
    stream, code = mask2rle(grey), coco.encode(fortran)
    assert brush.encode_brush(mask) == stream
    assert (brush.decode_brush(stream, mask.shape) == mask).all()
    times = [
        (measure_median_ms(lambda: mask2rle(grey)), measure_median_ms(lambda: brush.encode_brush(mask))),
        (
            measure_median_ms(lambda: decode_rle(stream)),
            measure_median_ms(lambda: brush.decode_brush(stream, mask.shape)),
        ),
    ]
    others = measure_median_ms(lambda: coco.encode(fortran)), measure_median_ms(lambda: coco.decode(code))
    cells = [
        cell
        for (sdk, ours), other in zip(times, others, strict=True)
        for cell in (f"{sdk:.1f}", f"{ours:.1f}", f"{sdk / ours:.1f}x", f"{other:.1f}")
    ]
    return [name, str(len(stream)), *cells]


if __name__ == "__main__":
    main()
