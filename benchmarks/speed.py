"""Compare all that networks compute with the naive way: `python -m benchmarks.speed [--threads 1 2]`.

One row per work, number of threads and precision, with the networks of full size and random weights, whose
cost is that of published weights. The naive ways are those of `benchmarks.methods`, `gradcam` and `sam`, in
fp32. Results are compared first. Both ways alternate; the ratios are medians of the rounds' ratios, by
elapsed and by processor time. If anything is slower than its naive way by elapsed time, the exit status is 1,
and a sentence says what. `--count` counts the operations of both ways instead, which says what is possible
with products of one rate.
"""

import argparse
import copy
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import open_clip
import torch
from rich.console import Console
from rich.table import Table
from segment_anything import sam_model_registry
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoTokenizer

from benchmarks import gradcam, sam
from benchmarks.methods import FixedDescriber, NaiveClip, make_image_and_masks
from benchmarks.pairs import PairTimes, refuse_slower, time_pair
from benchmarks.processor import print_processor
from ris.errors import SettingsError
from ris.pretrained.catalog.presets import TINY_FOLDER
from ris.pretrained.clip.network import pack_clip
from ris.pretrained.clip.vit import ClipEncoder
from ris.pretrained.device import Precision
from ris.pretrained.language.parser import SpacyParser
from ris.pretrained.language.synonyms import PlainSynonyms
from ris.pretrained.linear_speed import LinearSpeeds
from ris.pretrained.masks.sam import pack_sam
from ris.pretrained.masks.settings import SamSettings
from ris.pretrained.matching.blip import make_blip_parts
from ris.pretrained.matching.cross_matcher import CrossMatcher
from ris.pretrained.precision import check_precision
from ris.pretrained.processor import read_cpu_flags
from ris.referring.global_local import GLOBAL_LOCAL_PAPER, GlobalLocal
from ris.referring.lgd import LGD_PAPER, Lgd
from ris.referring.protocols import Method

WORKS = ("global-local", "lgd", "texts", "gradcam", "sam")
_SIZE = (480, 640)
_TEXTS = ("the man in a white shirt on the left", "the man")
_LAYER = 8
_TOLERANCES = {"fp32": 1e-4, "bf16": 0.1}  # of the largest feature
Pair = tuple[str, Callable[[], Any], Callable[[], Any]]


class PlainSpeeds(LinearSpeeds):
    """Speeds by which no weight is packed, because PyTorch does not count oneDNN's own products."""

    def find_packed_from(self, n_in: int, n_out: int, dtype: torch.dtype) -> int | None:
        """Return None for every layer."""
        return None


def make_clip_pairs(
    precision: Precision, works: list[str], mask_counts: list[int], speeds: LinearSpeeds
) -> Iterator[Pair]:
    """Yield the naive and our way of both methods' image sides, and of the texts."""
    if not {"global-local", "lgd", "texts"}.intersection(works):
        return
    torch.manual_seed(0)
    plain = open_clip.create_model("ViT-B-32-quickgelu")
    network, tokenizer = copy.deepcopy(plain), open_clip.get_tokenizer("ViT-B-32")
    if precision == "bf16":
        network = network.to(torch.bfloat16)
    pack_clip(network, speeds)
    naive, ours = NaiveClip(plain, tokenizer), ClipEncoder(network, tokenizer)
    makers: dict[str, Callable[[ClipEncoder], Method]] = {
        "global-local": lambda clip: GlobalLocal(clip, GLOBAL_LOCAL_PAPER),
        "lgd": lambda clip: Lgd(
            clip, FixedDescriber(), SpacyParser.load(TINY_FOLDER / "parser"), PlainSynonyms(), LGD_PAPER
        ),
    }
    for work in [one for one in makers if one in works]:
        for count in mask_counts:
            methods = [makers[work](clip) for clip in (naive, ours)]
            image, masks = make_image_and_masks(count, _SIZE)
            runs = [partial(_see, method, image, masks) for method in methods]
            yield f"{work}, image, {count} masks, {precision}", *runs
    if "texts" in works:
        yield f"texts, {precision}", *(partial(clip.encode_texts, _TEXTS) for clip in (naive, ours))


def _see(method: Method, image: Any, masks: Any) -> Any:
    return method.see(image, masks)["visual"]


def make_gradcam_pair(precision: Precision, speeds: LinearSpeeds) -> Pair:
    """Make the naive and our way of an image and three passes of one expression through BLIP base."""
    model = gradcam.make_network()
    tokenizer = AutoTokenizer.from_pretrained(TINY_FOLDER / "itm")
    matcher = CrossMatcher(
        make_blip_parts(copy.deepcopy(model)), tokenizer, layer=_LAYER, precision=precision
    )
    matcher.pack(speeds)
    peer = gradcam.PeerMatcher(model, tokenizer)
    picture = np.random.default_rng(0).normal(size=(3, 384, 384)).astype(np.float32)
    return (
        f"Grad-CAM, {precision}",
        lambda: np.array(peer.compute_maps(picture)),
        lambda: np.array(gradcam.compute_our_maps(matcher, picture)),
    )


def make_sam_pair(points: int, speeds: LinearSpeeds) -> Pair:
    """Make the library's and our way of generating all masks with SAM ViT-B, in fp32."""
    torch.manual_seed(0)
    model = sam_model_registry["vit_b"]().eval()
    packed = copy.deepcopy(model)
    pack_sam(packed, speeds)
    pixels = np.random.default_rng(1).integers(0, 255, (*_SIZE, 3), dtype=np.uint8)
    answers = sam.EllipseAnswers(3 * points**2, 256, "cpu")
    settings = SamSettings(1024, points, 0.88, 0.95, 0.7, 99, 0.0, 1.0, 0.7)

    def run(way: Callable[..., Any], network: Any) -> Any:
        return np.array(way(network, pixels, settings, answers, sam.PartTimer("cpu")))

    return (
        f"SAM, {points} points a side, fp32",
        lambda: run(sam.run_library, model),
        lambda: run(sam.run_ours, packed),
    )


def make_pairs(
    precisions: list[Precision], works: list[str], masks: list[int], points: int, speeds: LinearSpeeds
) -> Iterator[Pair]:
    """Yield all pairs, one after the other, so that the networks of one are in memory at a time."""
    for precision in precisions:
        try:
            check_precision(precision, "cpu", read_cpu_flags())
        except SettingsError as error:
            print(f"{precision} is not measured: {error}")
            continue
        yield from make_clip_pairs(precision, works, masks, speeds)
        if "gradcam" in works:
            yield make_gradcam_pair(precision, speeds)
    if "sam" in works:
        yield make_sam_pair(points, speeds)


def compare_results(name: str, naive: Any, ours: Any) -> None:
    """Check that both ways give the same.

    Raises:
        AssertionError: they do not.
    """
    tolerance = _TOLERANCES["bf16" if "bf16" in name else "fp32"]
    if naive.dtype == np.bool_:
        assert sam.compute_worst_iou(naive, ours) > 0.99, name
    else:
        if name.startswith("Grad-CAM"):  # a map is scaled by a difference, which rounding changes more
            tolerance *= 10
        np.testing.assert_allclose(ours, naive, rtol=0, atol=tolerance * np.abs(naive).max(), err_msg=name)


def count_operations(work: Callable[[], Any]) -> int:
    """Count the floating-point operations of a work, those of its backward pass included."""
    with FlopCounterMode(display=False) as counted:
        work()
    return int(counted.get_total_flops())


def main() -> None:
    """Print the table; exit with 1 if anything is slower than the naive way."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--precisions", choices=("fp32", "bf16"), nargs="+", default=["fp32", "bf16"])
    parser.add_argument("--works", choices=WORKS, nargs="+", default=list(WORKS))
    parser.add_argument("--masks", type=int, nargs="+", default=[3, 50])
    parser.add_argument("--points", type=int, default=8, help="clicks per side of SAM's grid")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--count", action="store_true", help="count operations (not those of SAM)")
    args = parser.parse_args()
    print_processor()
    if args.count:
        works = [work for work in args.works if work != "sam"]
        for name, naive, ours in make_pairs(["fp32"], works, args.masks, args.points, PlainSpeeds()):
            ours_gflop, naive_gflop = (count_operations(work) / 1e9 for work in (ours, naive))
            times = naive_gflop / ours_gflop
            print(f"{name}: naive {naive_gflop:.1f} GFLOP, ours {ours_gflop:.1f}, {times:.2f} times")
        return
    torch.set_flush_denormal(True)
    table = Table("", "threads", "naive", "ours", "times as fast", "by processor time")
    found: dict[str, PairTimes] = {}
    for threads in args.threads:
        torch.set_num_threads(threads)
        for name, naive, ours in make_pairs(
            args.precisions, args.works, args.masks, args.points, LinearSpeeds()
        ):
            compare_results(name, naive(), ours())
            times = time_pair(naive, ours, rounds=args.rounds * (10 if name.startswith("texts") else 1))
            found[f"{name}, {threads} thread{'s' * (threads > 1)}"] = times
            cells = [f"{1e3 * times.naive_s:.0f} ms", f"{1e3 * times.ours_s:.0f} ms"]
            table.add_row(name, str(threads), *cells, f"{times.times:.2f}", f"{times.cpu_times:.2f}")
            print(*cells, f"{times.times:.2f} {times.cpu_times:.2f}", name, f"{threads} threads", flush=True)
    Console(width=120).print(table)
    refuse_slower({name: times.times for name, times in found.items()})


if __name__ == "__main__":
    main()
