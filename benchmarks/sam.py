"""Compare our generation of all masks with SAM's own: `python -m benchmarks.sam [--points 16]`.

SAM ViT-B in full size with random weights, in fp32; the library processes 64 clicks at once. A random network
produces noise, and the time of the later steps depends on the shapes of the masks. So both sides compute
their logits and predicted IoUs, and these are then replaced: the logits by the same ellipses (0.4 to 40 % of
the image), the IoUs by the same random numbers, of which 12 % pass the library's threshold. The masks of both
sides are compared, and the original outputs of the networks too.
"""

import argparse
import copy
import statistics
import time
from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from segment_anything import SamAutomaticMaskGenerator, SamPredictor, sam_model_registry
from torch import Tensor

from benchmarks.pairs import refuse_slower
from benchmarks.processor import print_processor
from ris.pretrained.linear_speed import LinearSpeeds
from ris.pretrained.masks import sam_generator
from ris.pretrained.masks.sam import pack_sam
from ris.pretrained.masks.sam_generator import embed_image, generate_masks
from ris.pretrained.masks.settings import SamSettings

_PARTS = ("encoder", "decoder", "rest")
_THRESHOLDS = {"default": (0.88, 0.95), "zero": (0.0, 0.0)}


class PartTimer:
    """Measures the seconds of each part of the work."""

    def __init__(self, device: str) -> None:
        self.seconds = dict.fromkeys(_PARTS, 0.0)
        self.device = device

    def time_part(self, part: str, work: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap a function so that its time is added to a part."""

        def call(*given: Any, **named: Any) -> Any:
            start = self.now()
            try:
                return work(*given, **named)
            finally:
                self.seconds[part] += self.now() - start

        return call

    def now(self) -> float:
        """Return the clock in seconds, after the device has finished."""
        if self.device == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter()

    def run_whole(self, work: Callable[[], Any]) -> Any:
        """Run the work; what no part has measured is added to "rest"."""
        start = self.now()
        result = work()
        self.seconds["rest"] = self.now() - start - self.seconds["encoder"] - self.seconds["decoder"]
        return result


class EllipseAnswers:
    """Replacement outputs: ellipses as logits, float32 [count, side, side], and scores, float32 [count]."""

    def __init__(self, count: int, side: int, device: str) -> None:
        random = np.random.default_rng(0)
        y, x = np.mgrid[:side, :side].astype(np.float32)
        areas = np.exp(random.uniform(np.log(0.004), np.log(0.4), count)) * side * side
        aspects = np.exp(random.uniform(-0.7, 0.7, count))
        middles = random.uniform(0.1 * side, 0.9 * side, (count, 2))
        radii = np.sqrt(areas / np.pi)[:, None] * np.stack([aspects, 1 / aspects], axis=1)
        steepness = random.uniform(4, 200, count)
        logits = [
            s * (1 - np.hypot((y - m[0]) / r[0], (x - m[1]) / r[1]))
            for m, r, s in zip(middles, radii, steepness, strict=True)
        ]
        self.logits = torch.tensor(np.array(logits, np.float32), device=device)
        self.scores = torch.tensor(random.uniform(0, 1, count), dtype=torch.float32, device=device)


def run_library(
    model: Any, pixels: NDArray, settings: SamSettings, answers: EllipseAnswers, clock: PartTimer
) -> Any:
    """Return the masks of `SamAutomaticMaskGenerator`: bool [H, W] each."""
    generator = SamAutomaticMaskGenerator(
        model,
        points_per_side=settings.points_per_side,
        pred_iou_thresh=settings.pred_iou_thresh,
        stability_score_thresh=settings.stability_score_thresh,
        box_nms_thresh=settings.box_nms_thresh,
    )
    numbers = iter(range(10**9))
    plain = type(model.mask_decoder).forward

    def decode_masks(*given: Any, **named: Any) -> tuple[Tensor, Tensor]:
        maps, _ = plain(model.mask_decoder, *given, **named)
        chosen = [next(numbers) for _ in range(maps.shape[0] * 3)]
        return answers.logits[chosen].view_as(maps), answers.scores[chosen].view(-1, 3)

    with (
        mock.patch.object(model.mask_decoder, "forward", clock.time_part("decoder", decode_masks)),
        mock.patch.object(
            model.image_encoder, "forward", clock.time_part("encoder", model.image_encoder.forward)
        ),
    ):
        found = clock.run_whole(lambda: generator.generate(pixels))
    return [record["segmentation"] for record in found]


def run_ours(
    model: Any, pixels: NDArray, settings: SamSettings, answers: EllipseAnswers, clock: PartTimer
) -> Any:
    """Return the masks of our generator: bool [H, W] each."""
    numbers = iter(range(10**9))
    chosen: list[int] = []

    def replace_scores(decoder: Any, tokens: Tensor) -> Tensor:
        scores = ORIGINAL_FUNCTIONS["predict_iou"](decoder, tokens)
        chosen[:] = [next(numbers) for _ in range(scores.numel())]
        return answers.scores[chosen].view_as(scores)

    def replace_logits(decoder: Any, tokens: Tensor, keys: Tensor, wanted: Tensor) -> Tensor:
        ORIGINAL_FUNCTIONS["compute_mask_logits"](decoder, tokens, keys, wanted)
        return answers.logits[chosen][wanted.flatten()]

    timed = {
        "encode_sam_image": clock.time_part("encoder", ORIGINAL_FUNCTIONS["encode_sam_image"]),
        "make_shared_state": clock.time_part("decoder", ORIGINAL_FUNCTIONS["make_shared_state"]),
        "run_transformer": clock.time_part("decoder", ORIGINAL_FUNCTIONS["run_transformer"]),
        "predict_iou": clock.time_part("decoder", replace_scores),
        "compute_mask_logits": clock.time_part("decoder", replace_logits),
    }

    @torch.inference_mode()
    def work() -> Any:
        embedding, input_size = embed_image(model, pixels)
        return generate_masks(model, embedding, input_size, pixels.shape[:2], settings)

    with mock.patch.multiple(sam_generator, **timed):
        return clock.run_whole(work).masks


ORIGINAL_FUNCTIONS = {
    name: getattr(sam_generator, name)
    for name in (
        "encode_sam_image",
        "make_shared_state",
        "run_transformer",
        "predict_iou",
        "compute_mask_logits",
    )
}


def compute_worst_iou(theirs: Any, found: Any) -> float:
    """Compute the smallest IoU of masks with the same index; 0 if the numbers of masks differ."""
    if len(theirs) != len(found):
        return 0.0
    worst = 1.0
    for a, b in zip(theirs, found, strict=True):
        union = (a | b).sum()
        worst = min(worst, (a & b).sum() / union if union else 1.0)
    return worst


def compute_worst_difference(model: Any, packed: Any, pixels: NDArray) -> tuple[float, float]:
    """Compute the largest differences of logits and predicted IoUs, in standard deviations, for 8 clicks."""
    predictor = SamPredictor(model)
    predictor.set_image(pixels)
    points = torch.rand(8, 1, 2, device=model.device) * 500
    with torch.inference_mode():
        clicks, dense = model.prompt_encoder(
            points=(points, torch.ones_like(points[..., 0])), boxes=None, masks=None
        )
        maps, scores = model.mask_decoder(
            predictor.features, model.prompt_encoder.get_dense_pe(), clicks, dense, True
        )
        embedding, _ = embed_image(packed, pixels)
        tokens, keys = ORIGINAL_FUNCTIONS["run_transformer"](
            packed.mask_decoder, ORIGINAL_FUNCTIONS["make_shared_state"](packed, embedding), clicks
        )
        wanted = torch.ones_like(scores, dtype=torch.bool)
        own_maps = ORIGINAL_FUNCTIONS["compute_mask_logits"](packed.mask_decoder, tokens, keys, wanted)
        own_scores = ORIGINAL_FUNCTIONS["predict_iou"](packed.mask_decoder, tokens)
    return tuple(
        float((a - b).abs().max() / b.std())
        for a, b in ((own_maps, maps.flatten(0, 1)), (own_scores, scores))
    )


def main() -> None:
    """Print a table of seconds by part."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=16, help="clicks per side of the grid")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--image", type=int, nargs=2, default=(480, 640), metavar=("HEIGHT", "WIDTH"))
    args = parser.parse_args()
    print_processor()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    model = sam_model_registry["vit_b"]().to(args.device)
    with torch.no_grad():
        for name, parameter in model.image_encoder.named_parameters():
            if "pos" in name:  # zero in a fresh network
                parameter.normal_(0, 0.1)
    pixels = np.random.default_rng(1).integers(0, 255, (*args.image, 3), dtype=np.uint8)
    packed = copy.deepcopy(model)
    pack_sam(packed, LinearSpeeds())
    maps, scores = compute_worst_difference(model, packed, pixels)
    answers = EllipseAnswers(3 * args.points**2, 256, args.device)
    times: dict[str, float] = {}
    table = Table("thresholds", "", *_PARTS, "total", "masks", "worst IoU", title="seconds, median")
    for name, (iou, stability) in _THRESHOLDS.items():
        settings = SamSettings(1024, args.points, iou, stability, 0.7, 99, 0.0, 1.0, 0.7)
        rounds: dict[str, list[dict[str, float]]] = {"library": [], "ours": []}
        found: dict[str, Any] = {}
        for _ in range(args.rounds):
            for who, run, network in (("library", run_library, model), ("ours", run_ours, packed)):
                clock = PartTimer(args.device)
                found[who] = run(network, pixels, settings, answers, clock)
                rounds[who].append(clock.seconds | {"total": sum(clock.seconds.values())})
        medians = {
            who: {part: statistics.median(one[part] for one in runs) for part in (*_PARTS, "total")}
            for who, runs in rounds.items()
        }
        worst = compute_worst_iou(found["library"], found["ours"])
        for who, seconds in medians.items():
            table.add_row(name, who, *(f"{s:.2f}" for s in seconds.values()), str(len(found[who])), "")
        times[f"SAM, {name} thresholds"] = medians["library"]["total"] / medians["ours"]["total"]
        ratios = (medians["library"][part] / medians["ours"][part] for part in (*_PARTS, "total"))
        table.add_row(
            name, "times", *(f"{ratio:.1f}" for ratio in ratios), "", f"{worst:.4f}", end_section=True
        )
    console = Console()
    console.print(table)
    console.print(
        f"largest difference of logits {maps:.1e}, of predicted IoUs {scores:.1e}, in standard deviations"
    )
    refuse_slower(times)


if __name__ == "__main__":
    main()
