"""Measure the ways of one product, in GFLOP/s, by shape: `python -m benchmarks.products [--threads 1]`.

*plain*, *packed* and *unpacked* are those of `ris.pretrained.linear_speed`. The others were tried: a 1 x 1
convolution with the rows or with the weight as its pixels, weights packed by MKL, and an activation after the
packed product or within it. The time is that of the processor, the median of rounds in which the ways
alternate.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor
from torch.nn import functional

from benchmarks.processor import print_processor
from ris.pretrained.linear_speed import multiply_packed, pack_weight

PRODUCT_SHAPES = (
    (2550, 768, 768), (2550, 768, 3072), (2550, 3072, 768), (800, 768, 3072), (577, 768, 3072),
    (50, 768, 3072), (20, 512, 2048), (8, 512, 2048), (4096, 768, 2304), (1024, 256, 480), (40, 64, 256),
)  # fmt: skip
_N_PARTS = 16  # batch size from which PyTorch gives 1 x 1 convolutions to oneDNN
_ROUND_GFLOP = 0.4  # of a way in a round: some ms


def convolve(pixels: Tensor, kernels: Tensor) -> Tensor:
    """Multiply float [n, K] by [o, K] to [n, o] as a 1 x 1 convolution."""
    count = len(pixels)
    pixels = functional.pad(pixels, (0, 0, 0, -count % _N_PARTS))
    images = pixels.view(_N_PARTS, 1, -1, pixels.shape[1]).permute(0, 3, 1, 2)
    product = functional.conv2d(images, kernels[:, :, None, None]).permute(0, 2, 3, 1)
    return product.reshape(-1, len(kernels))[:count]


def make_ways(n_rows: int, n_in: int, n_out: int) -> dict[str, Callable[[], Tensor]]:
    """Make the ways of a float32 product; each returns it, or its activation."""
    rows, weight, bias = torch.randn(n_rows, n_in), torch.randn(n_out, n_in) / n_in**0.5, torch.randn(n_out)
    packed = pack_weight(weight)
    by_mkl = torch.ops.mkl._mkl_reorder_linear_weight(weight, n_rows)
    return {
        "plain": lambda: functional.linear(rows, weight, bias),
        "packed": lambda: multiply_packed(rows, packed, bias),
        "unpacked": lambda: multiply_packed(rows, weight, bias),
        "rows as pixels": lambda: convolve(rows, weight).add_(bias),
        "weight as pixels": lambda: convolve(weight, rows).T.contiguous().add_(bias),
        "packed by MKL": lambda: torch.ops.mkl._mkl_linear(rows, by_mkl, weight, bias, n_rows),
        "packed, then GELU": lambda: functional.gelu(multiply_packed(rows, packed, bias)),
        "GELU within": lambda: torch.ops.mkldnn._linear_pointwise(rows, packed, bias, "gelu", [], "none"),
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=9)
    args = parser.parse_args()
    print_processor()
    torch.set_num_threads(args.threads)
    table = Table(title=f"GFLOP/s of float32 products, {args.threads} threads, by processor time")
    table.add_column("rows, in, out")
    with torch.inference_mode():
        for shape in PRODUCT_SHAPES:
            ways = make_ways(*shape)
            if len(table.columns) == 1:
                for name in ways:
                    table.add_column(name, justify="right")
            rates = measure_rates(ways, 2 * shape[0] * shape[1] * shape[2] / 1e9, args.rounds)
            table.add_row(" x ".join(map(str, shape)), *(f"{rate:.0f}" for rate in rates))
    Console(width=140).print(table)


def measure_rates(ways: dict[str, Callable[[], Tensor]], gflop: float, rounds: int) -> list[float]:
    """Measure the GFLOP per second of processor time of each way; check that the products are equal."""
    plain = ways["plain"]()
    for name, way in ways.items():
        wanted = functional.gelu(plain) if "GELU" in name else plain
        torch.testing.assert_close(way(), wanted, rtol=1e-4, atol=1e-4, msg=name)
    repeats = max(1, round(_ROUND_GFLOP / gflop))
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            started = time.process_time()
            for _ in range(repeats):
                way()
            seconds[name].append((time.process_time() - started) / repeats)
    return [gflop / max(statistics.median(times), 1e-9) for times in seconds.values()]


if __name__ == "__main__":
    main()
