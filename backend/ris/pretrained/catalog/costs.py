"""What an image costs with each preset: seconds on a CPU and a GPU, as far as they are known.

The figures of the presets are those of docs/networks.md. Where an image's arithmetic is known and no time was
measured, `estimate_seconds` compares it with the matrix products of this machine.
"""

import time
from dataclasses import dataclass

import numpy as np

_PRODUCT_SIDE = 1024  # 2.1 GFLOP: 10 to 50 ms
_N_PRODUCTS = 5


@dataclass(frozen=True, slots=True)
class ImageCost:
    """What a new image with one or two expressions costs, without the describer where it is a chat model.

    Attributes:
        cpu_s: seconds on a CPU; None if they were not measured.
        gpu_s: seconds on a GPU; None if they are not known.
        tflop: 10^12 floating-point operations; None if they were not counted.
        basis: how the figures came about, for people.
    """

    cpu_s: float | None = None
    gpu_s: float | None = None
    tflop: float | None = None
    basis: str = "not measured"


IMAGE_COSTS = {
    "tiny": ImageCost(cpu_s=1.2, basis="CPU: measured on two server cores; GPU: not measured"),
    "base": ImageCost(
        gpu_s=0.025, tflop=2.9,
        basis="CPU: estimated by a self-test of this machine; GPU: estimated for an H200; both without the "
        "describer",
    ),
    "classical": ImageCost(cpu_s=1.0, basis="CPU: measured on two server cores; GPU: not used"),
}  # fmt: skip


def get_image_cost(preset: str) -> ImageCost:
    """Get the cost of an image with a preset; a preset that is not in the table was not measured."""
    return IMAGE_COSTS.get(preset, ImageCost())


def measure_product_rate() -> float:
    """Measure this machine in 10^12 operations per second: the best of five fp32 matrix products.

    It takes about a quarter of a second. Other load on the machine lowers the result.
    """
    matrix = np.random.default_rng(0).random((_PRODUCT_SIDE, _PRODUCT_SIDE), np.float32)
    seconds = []
    for _ in range(_N_PRODUCTS):
        start = time.perf_counter()
        matrix @ matrix
        seconds.append(time.perf_counter() - start)
    return 2 * _PRODUCT_SIDE**3 / min(seconds) / 1e12


def estimate_seconds(cost: ImageCost, rate: float) -> float | None:
    """Estimate the seconds of an image on a CPU: measured ones as they are, else arithmetic over the rate.

    On the machine of docs/benchmarks.md this gives 15 s for `base`, and 16 s were measured in parts.

    Args:
        cost: of the image.
        rate: 10^12 operations per second, of `measure_product_rate`.

    Returns:
        None if neither seconds nor operations are known.
    """
    if cost.cpu_s is not None:
        return cost.cpu_s
    return None if cost.tflop is None else cost.tflop / rate
