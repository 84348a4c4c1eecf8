"""Measure Grad-CAM for one expression: `python -m benchmarks.gradcam [--device cuda]`.

A full-size BLIP base (384 x 384) with random weights processes one expression in three passes. Each pass
hides more patches of the image. The hidden patches are fixed, because a threshold on the map of a random
network would turn a rounding difference into another mask. The peer works as the code of ALBEF and GroundVLP:
all parameters require gradients, the image is encoded in every pass, `loss.backward()` runs through
everything. Our matcher encodes the image once. In float32 its maps must be equal; for bfloat16 the table has
their cosine. Rounds alternate; the table has the medians.
"""

import argparse
import copy
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from transformers import AutoTokenizer, BlipConfig, BlipForImageTextRetrieval

from benchmarks.pairs import refuse_slower
from benchmarks.processor import print_processor
from ris.pretrained.catalog.presets import TINY_FOLDER
from ris.pretrained.linear_speed import LinearSpeeds
from ris.pretrained.matching.blip import make_blip_parts
from ris.pretrained.matching.cross_matcher import CrossMatcher
from ris.referring.heat import scale_to_unit

_LAYER, _PASSES, _GRID = 8, 3, 24
TEXT = "there is a man in a white shirt on the left"


def make_network() -> Any:
    """Make BLIP base with gradients of ordinary size: the library initialises the image side with 1e-10."""
    torch.manual_seed(0)
    model = BlipForImageTextRetrieval(BlipConfig()).eval()
    for parameter in model.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.02)
    model.itm_head.weight.data *= 100
    return model


def make_patch_masks() -> NDArray[np.bool_]:
    """Make the visible patches, bool [passes, P]: all, then three quarters, then half of them."""
    order = np.random.default_rng(1).random(_GRID * _GRID)
    return np.array([order >= hidden / 4 for hidden in range(_PASSES)])


class PeerMatcher:
    """The peer: runs the whole network in every pass and differentiates everything."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self.model, self.tokenizer = model.requires_grad_(True), tokenizer
        self.probabilities: list[torch.Tensor] = []
        for i, layer in enumerate(model.text_encoder.encoder.layer):
            own = layer.crossattention.self
            own.register_forward_pre_hook(_pass_image_mask, with_kwargs=True)
            if i == _LAYER:
                own.register_forward_hook(self.keep)

    def keep(self, module: Any, inputs: Any, outputs: Any) -> None:
        """Keep the attention probabilities of a layer, with their gradient."""
        outputs[1].retain_grad()
        self.probabilities = [outputs[1]]

    def compute_maps(self, picture: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Compute the map of each pass: float32 [P]."""
        device = self.model.itm_head.weight.device
        pixels = torch.tensor(picture, device=device)[None]
        coded = self.tokenizer(TEXT, return_tensors="pt").to(device)
        kept = torch.ones(_PASSES, 1 + _GRID * _GRID, device=device)
        kept[:, 1:] = torch.tensor(make_patch_masks())
        maps = []
        for i in range(_PASSES):
            states = self.model.vision_model(pixel_values=pixels).last_hidden_state
            hidden = self.model.text_encoder(
                **{name: coded[name] for name in ("input_ids", "attention_mask")}, is_decoder=False,
                encoder_hidden_states=states, encoder_attention_mask=kept[i : i + 1],
            ).last_hidden_state  # fmt: skip
            self.model.zero_grad()
            self.model.itm_head(hidden[:, 0])[:, 1].sum().backward()
            (attention,) = self.probabilities
            assert attention.grad is not None
            maps.append(
                compute_heat_map(attention.detach().cpu().numpy()[0], attention.grad.cpu().numpy()[0], 1)
            )
        return maps


def _pass_image_mask(module: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """Pass the image mask to the cross-attention, which transformers' BlipTextAttention omits (5.23)."""
    return args, kwargs | {"encoder_attention_mask": kwargs["attention_mask"]}


def compute_our_maps(matcher: CrossMatcher, picture: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Compute the map of each pass with our matcher: float32 [P]."""
    encoded = matcher.encode_picture(picture)
    seen = [matcher.attend(encoded, [TEXT], kept[None]) for kept in make_patch_masks()]
    return [compute_heat_map(each.attention[0], each.gradient[0], 0) for each in seen]


def compute_heat_map(
    attention: NDArray[np.float32], gradient: NDArray[np.float32], first: int
) -> NDArray[np.float32]:
    """Compute the map of all words, float32 [P] in [0, 1], from arrays [heads, L, first + P]."""
    return scale_to_unit((attention * np.maximum(gradient, 0))[..., first:].mean((0, 1)))


def _measure_seconds(call: Callable[[], Any], device: str) -> float:
    started = time.perf_counter()
    call()
    if device.startswith("cuda"):
        torch.cuda.synchronize()
    return time.perf_counter() - started


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    print_processor()
    torch.set_num_threads(args.threads)
    torch.set_flush_denormal(True)
    model = make_network().to(args.device)
    tokenizer = AutoTokenizer.from_pretrained(TINY_FOLDER / "itm")
    exact, quick = (
        CrossMatcher(
            make_blip_parts(copy.deepcopy(model)),
            tokenizer,
            layer=_LAYER,
            precision=precision,
        )
        for precision in ("fp32", "bf16")
    )
    for matcher in (exact, quick):
        matcher.pack(LinearSpeeds())
    peer = PeerMatcher(model, tokenizer)
    picture = np.random.default_rng(0).normal(size=(3, 384, 384)).astype(np.float32)
    runs: dict[str, Callable[[], list[NDArray[np.float32]]]] = {
        "peer": lambda: peer.compute_maps(picture),
        "ours, fp32": lambda: compute_our_maps(exact, picture),
        "ours, bf16": lambda: compute_our_maps(quick, picture),
    }
    maps = {name: run() for name, run in runs.items()}
    np.testing.assert_allclose(maps["ours, fp32"], maps["peer"], atol=1e-3)
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(args.rounds):
        for name, run in runs.items():
            times[name].append(_measure_seconds(run, args.device))
    encode = [
        statistics.median(
            _measure_seconds(lambda m=m: m.encode_picture(picture), args.device) for _ in range(3)
        )  # type: ignore[misc]
        for m in (exact, quick)
    ]
    table = Table(
        title=f"BLIP base, one image and {_PASSES} passes of one expression, {args.device}, "
        f"{args.threads} thread{'s' * (args.threads > 1)}"
    )
    for heading in ("", "ms", "of it the image", "times faster", "cosine with the peer's map, by pass"):
        table.add_column(heading, justify="right" if heading else "left")
    for name, image_s in zip(runs, (None, *encode), strict=True):
        taken = statistics.median(times[name])
        alike = " ".join(
            f"{_compute_cosine(a, b):.5f}" for a, b in zip(maps[name], maps["peer"], strict=True)
        )
        table.add_row(
            name, f"{1e3 * taken:.0f}", "every pass" if image_s is None else f"{1e3 * image_s:.0f}",
            f"{statistics.median(times['peer']) / taken:.1f}", alike,
        )  # fmt: skip
    Console().print(table)
    peer_s = statistics.median(times["peer"])
    refuse_slower({name: peer_s / statistics.median(times[name]) for name in list(runs)[1:]})


def _compute_cosine(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


if __name__ == "__main__":
    main()
