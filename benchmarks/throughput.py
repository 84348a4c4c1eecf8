"""Measure images per second of SAM ViT-B and Global-Local CLIP ViT-B/32: `python -m benchmarks.throughput`.

Full-size networks with random weights, whose cost is that of published weights. PyTorch counts the
operations. The last column is the share of `--peak`, the TFLOP/s of the device; memory, Python and the host
take the rest.
"""

import argparse
import time

import numpy as np
import open_clip
import torch
from rich.console import Console
from rich.table import Table
from segment_anything import sam_model_registry
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.processor import print_processor
from ris.core.proposals import Proposals
from ris.core.types import Image
from ris.pretrained.catalog.presets import BASE_SAM_SETTINGS
from ris.pretrained.clip.network import pack_clip
from ris.pretrained.clip.vit import ClipEncoder
from ris.pretrained.linear_speed import LinearSpeeds
from ris.pretrained.masks.sam import SamProposer, pack_sam
from ris.referring.global_local import GLOBAL_LOCAL_PAPER, GlobalLocal

_IMAGE_SIZE = (480, 640)


def main() -> None:
    """Print one row."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--images", type=int, default=3)
    parser.add_argument("--masks", type=int, default=50, help="number of drawn masks that CLIP encodes")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--peak", type=float, help="TFLOP/s of the device; default: measured with a matrix product"
    )
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32", help="of CLIP")
    args = parser.parse_args()
    print_processor()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    proposer = SamProposer(sam_model_registry["vit_b"]().eval().to(args.device), BASE_SAM_SETTINGS)
    network = open_clip.create_model("ViT-B-32-quickgelu").to(args.device)
    if args.precision == "bf16":
        network = network.to(torch.bfloat16)
    method = GlobalLocal(ClipEncoder(network, open_clip.get_tokenizer("ViT-B-32")), GLOBAL_LOCAL_PAPER)
    images = [make_noise_image(seed) for seed in range(args.images + 1)]
    drawn = make_disk_masks(args.masks)

    def see(image: Image) -> None:
        proposer.propose(image)
        method.see(image, drawn)

    with FlopCounterMode(display=False) as counted:
        see(images[0])
    per_image = counted.get_total_flops()
    speeds = LinearSpeeds()  # from here on: oneDNN's own products are not counted
    pack_sam(proposer.model, speeds)
    pack_clip(network, speeds)
    see(images[0])
    started = time.perf_counter()
    for image in images[1:]:
        see(image)
    rate = args.images / (time.perf_counter() - started)
    peak = args.peak or measure_matrix_peak(args.device)
    table = Table("device", "GFLOP per image", "images per second", "TFLOP/s", "share of the peak")
    reached = rate * per_image / 1e12
    table.add_row(
        args.device,
        f"{per_image / 1e9:.0f}",
        f"{rate:.3f}",
        f"{reached:.3f}",
        f"{reached / peak:.0%} of {peak:.2f}",
    )
    Console().print(table)


def measure_matrix_peak(device: str) -> float:
    """Measure the TFLOP/s of a float32 product of 4,096 x 4,096 matrices, the best of five."""
    side = 4096
    one = torch.randn(side, side, device=device)
    best = float("inf")
    for _ in range(5):
        started = time.perf_counter()
        (one @ one)[0, 0].item()
        best = min(best, time.perf_counter() - started)
    return 2 * side**3 / best / 1e12


def make_noise_image(seed: int) -> Image:
    """Make an image of uniform noise."""
    return Image.from_pixels(np.random.default_rng(seed).integers(0, 256, (*_IMAGE_SIZE, 3), dtype=np.uint8))


def make_disk_masks(count: int) -> Proposals:
    """Make masks of random disks."""
    rng = np.random.default_rng(0)
    rows, columns = np.ogrid[: _IMAGE_SIZE[0], : _IMAGE_SIZE[1]]
    masks = np.zeros((count, *_IMAGE_SIZE), np.bool_)
    for mask in masks:
        y, x, r = (
            rng.random() * _IMAGE_SIZE[0],
            rng.random() * _IMAGE_SIZE[1],
            (0.05 + 0.2 * rng.random()) * min(_IMAGE_SIZE),
        )
        mask |= (rows - y) ** 2 + (columns - x) ** 2 < r * r
    return Proposals.from_masks(masks, _IMAGE_SIZE, np.ones(count, np.float32))


if __name__ == "__main__":
    main()
