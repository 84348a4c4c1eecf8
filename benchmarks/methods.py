"""Measure an image and a further expression by method: `python -m benchmarks.methods [--size full|tiny]`.

The full-size networks (CLIP ViT-B/32, BLIP base) have random weights, whose cost is that of published
weights. The peer of each method is a naive version that keeps nothing of the image between expressions and,
for IteRPrimE, encodes the image again in every pass. The scores of both are compared.
"""

import argparse
import copy
import resource
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import open_clip
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from transformers import AutoTokenizer, BlipConfig, BlipForImageTextRetrieval

from benchmarks.pairs import refuse_slower
from benchmarks.processor import print_processor
from ris.core import rle
from ris.core.expression import ParsedExpression
from ris.core.proposals import Proposals
from ris.core.types import Image
from ris.pretrained.catalog.presets import TINY, TINY_FOLDER
from ris.pretrained.clip.network import concatenate_features, pack_clip
from ris.pretrained.clip.vit import ClipEncoder, embed_pictures
from ris.pretrained.device import Precision
from ris.pretrained.language.parser import SpacyParser
from ris.pretrained.language.synonyms import PlainSynonyms
from ris.pretrained.linear_speed import LinearSpeeds
from ris.pretrained.matching.blip import load_blip, make_blip_parts
from ris.pretrained.matching.cross_matcher import CrossMatcher
from ris.referring import global_local, iterprime, lgd
from ris.referring.global_local import GlobalLocal
from ris.referring.iterprime import IterPrime
from ris.referring.lgd import Lgd
from ris.referring.protocols import AttentionMaps, Method
from ris.referring.scene import Scene

_EXPRESSIONS = ("the left mug", "the man in a white shirt", "second dog from the right", "big red bus")


class FixedDescriber:
    """A describer without cost, because the methods are measured."""

    model = "fixed"

    def look(self, image: Image) -> NDArray:
        """Return nothing of the image."""
        return np.zeros(1, np.uint8)

    def describe(self, digest: str, looked: NDArray, prompts: Sequence[str]) -> list[str]:
        """Return the same description for each prompt."""
        return ["a small red mug near a white plate"] * len(prompts)


class NaiveClip(ClipEncoder):
    """CLIP as the authors' code calls it: whole blocks, whole texts, unused gradients."""

    def encode_images(self, pictures: NDArray[np.float32]) -> NDArray[np.float32]:
        """Encode images with gradients."""
        return concatenate_features(self.model, [self.model.encode_image(torch.tensor(pictures)).detach()])

    def encode_masked(
        self, picture: NDArray[np.float32], grids: NDArray[np.float32], *, first_masked_block: int
    ) -> NDArray[np.float32]:
        """Encode an image under each mask with whole blocks."""
        visual = self.model.visual
        tokens = embed_pictures(visual, torch.tensor(picture)[None], first_masked_block).expand(
            len(grids), -1, -1
        )
        flat = torch.tensor(grids).flatten(1)
        factors = torch.cat([flat.new_ones(len(flat), 1), flat], dim=1)[..., None]
        for block in visual.transformer.resblocks[first_masked_block:]:
            tokens = block(tokens * factors)
        return concatenate_features(self.model, [(visual.ln_post(tokens[:, 0]) @ visual.proj).detach()])

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Encode texts of full length with gradients."""
        return concatenate_features(
            self.model, [self.model.encode_text(self.tokenizer(list(texts))).detach()]
        )


class NaiveMatcher(CrossMatcher):
    """A matcher that encodes the image for each text and pass, and differentiates the whole text side."""

    def encode_picture(self, picture: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the image itself."""
        return picture

    def attend(
        self, encoded: NDArray[np.float32], texts: Sequence[str], kept: NDArray[np.bool_]
    ) -> AttentionMaps:
        """Process each text by itself."""
        seen = [self._one(encoded, text, row) for text, row in zip(texts, kept, strict=True)]
        longest = max(attention.shape[1] for attention, _, _ in seen)
        shape = (len(texts), seen[0][0].shape[0], longest, seen[0][0].shape[2])
        attention, gradient = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        for i, (a, g, _) in enumerate(seen):
            attention[i, :, : a.shape[1]], gradient[i, :, : a.shape[1]] = a, g
        return AttentionMaps(attention, gradient, np.array([match for _, _, match in seen], np.float32))

    def _one(self, picture: NDArray[np.float32], text: str, kept: NDArray[np.bool_]) -> Any:
        states = self.parts.network.vision_model(pixel_values=torch.tensor(picture)[None]).last_hidden_state
        coded = self.tokenizer(text, truncation=True, max_length=self.parts.max_tokens, return_tensors="pt")
        probabilities: list[torch.Tensor] = []
        layer = self.parts.network.text_encoder.encoder.layer[self.layer].crossattention.self
        hooks = [
            layer.register_forward_hook(lambda module, inputs, outputs: probabilities.append(outputs[1]))
        ]
        for each in self.parts.network.text_encoder.encoder.layer:
            hooks.append(
                each.crossattention.self.register_forward_pre_hook(_pass_image_mask, with_kwargs=True)
            )
        self.parts.network.requires_grad_(True)
        hidden = self.parts.network.text_encoder(
            input_ids=coded["input_ids"], attention_mask=coded["attention_mask"],
            encoder_hidden_states=states,
            encoder_attention_mask=torch.cat([torch.ones(1), torch.tensor(kept).float()])[None],
            is_decoder=False,
        ).last_hidden_state  # fmt: skip
        for hook in hooks:
            hook.remove()
        logits = self.parts.network.itm_head(hidden[:, 0])
        (gradient,) = torch.autograd.grad(logits[0, 1], probabilities[0])
        self.parts.network.requires_grad_(False)
        return (
            probabilities[0][0, ..., 1:].detach().numpy(),
            gradient[0, ..., 1:].numpy(),
            float(logits.softmax(-1)[0, 1].detach()),
        )


def _pass_image_mask(module: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """Pass the image mask to the cross-attention, which transformers' BlipTextAttention omits (5.23)."""
    return args, kwargs | {"encoder_attention_mask": kwargs["attention_mask"]}


def make_full_size(precision: Precision) -> tuple[Any, ...]:
    """Make both CLIPs, both matchers and the settings of the methods, in full size."""
    torch.manual_seed(0)
    plain = open_clip.create_model("ViT-B-32-quickgelu")
    network = copy.deepcopy(plain)
    blip = BlipForImageTextRetrieval(BlipConfig()).eval()
    if precision == "bf16":
        network = network.to(torch.bfloat16)
    clips = (
        ClipEncoder(network, open_clip.get_tokenizer("ViT-B-32")),
        NaiveClip(plain, open_clip.get_tokenizer("ViT-B-32")),
    )
    tokenizer = AutoTokenizer.from_pretrained(TINY_FOLDER / "itm")
    matchers = (
        CrossMatcher(make_blip_parts(copy.deepcopy(blip)), tokenizer, layer=8, precision=precision),
        NaiveMatcher(make_blip_parts(blip), tokenizer, layer=8),
    )
    pack_networks(clips[0], matchers[0])
    return *clips, *matchers, global_local.GLOBAL_LOCAL_PAPER, lgd.LGD_PAPER, iterprime.ITERPRIME_PAPER


def pack_networks(clip: ClipEncoder, matcher: CrossMatcher) -> None:
    """Choose the ways of the products, as the product does when it loads networks."""
    speeds = LinearSpeeds()
    pack_clip(clip.model, speeds)
    matcher.pack(speeds)


def make_tiny_size(precision: Precision) -> tuple[Any, ...]:
    """Load the same of the preset tiny."""
    clips = (
        ClipEncoder.load(TINY_FOLDER / "clip", precision=precision),
        NaiveClip.load(TINY_FOLDER / "clip"),
    )
    matcher = load_blip(TINY_FOLDER / "itm", layer=TINY.itm_layer, precision=precision)
    plain = load_blip(TINY_FOLDER / "itm", layer=TINY.itm_layer)
    matchers = matcher, NaiveMatcher(plain.parts, plain.tokenizer, layer=plain.layer)
    pack_networks(clips[0], matcher)
    return *clips, *matchers, TINY.global_local, TINY.lgd, TINY.iterprime


def make_image_and_masks(n_masks: int, size: tuple[int, int]) -> tuple[Image, Proposals]:
    """Make an image of noise and masks of random disks."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
    rows, columns = np.ogrid[: size[0], : size[1]]

    def make_disks() -> Iterator[NDArray[np.bool_]]:
        for _ in range(n_masks):
            y, x, r = rng.random() * size[0], rng.random() * size[1], (0.05 + 0.2 * rng.random()) * min(size)
            yield (rows - y) ** 2 + (columns - x) ** 2 < r * r

    return Image.from_pixels(pixels), Proposals.from_masks(make_disks(), size, np.ones(n_masks, np.float32))


def _measure_seconds(call: Callable[[], Any], repeats: int) -> float:
    call()
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def main() -> None:
    """Print a row per method."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=("full", "tiny"), default="full")
    parser.add_argument("--masks", type=int, default=50)
    parser.add_argument("--image", type=int, nargs=2, default=(480, 640), metavar=("HEIGHT", "WIDTH"))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    args = parser.parse_args()
    print_processor()
    torch.set_num_threads(args.threads)
    networks = make_full_size(args.precision) if args.size == "full" else make_tiny_size(args.precision)
    clip, naive_clip, matcher, naive_matcher, for_global_local, for_lgd, for_iterprime = networks
    words = SpacyParser.load(TINY_FOLDER / "parser")
    methods: tuple[tuple[Method, Method], ...] = (
        (GlobalLocal(clip, for_global_local), GlobalLocal(naive_clip, for_global_local)),
        (
            Lgd(clip, FixedDescriber(), words, PlainSynonyms(), for_lgd),
            Lgd(naive_clip, FixedDescriber(), words, PlainSynonyms(), for_lgd),
        ),
        (IterPrime(matcher, for_iterprime), IterPrime(naive_matcher, for_iterprime)),
    )
    for method, _ in methods:  # the memory that a first run allocates counts as the networks'
        method.see(*make_image_and_masks(2, (240, 320)))
    base_mb = read_peak_mb()
    image, proposals = make_image_and_masks(args.masks, tuple(args.image))
    masks_mb = read_peak_mb() - base_mb
    for method, _ in methods:
        method.score(see_with_method(method, image, proposals), [words.parse(_EXPRESSIONS[0])])
    above_mb = read_peak_mb() - base_mb
    parsed = [words.parse(expression) for expression in _EXPRESSIONS]
    table = Table(
        title=f"{args.size} size, {args.masks} masks, {args.image[0]} x {args.image[1]}, {args.precision}"
    )
    for heading in (
        "method", "image", "naive / ours", "further expression", "share of the first", "naive",
        "naive / ours",
    ):  # fmt: skip
        table.add_column(heading, justify="left" if heading == "method" else "right")
    tolerance = 1e-3 if args.precision == "fp32" else 2.0  # scores of random networks, up to 100
    times = {}
    for method, naive in methods:
        cells, times[method.name] = measure_method(
            method, naive, image, proposals, parsed, args.repeats, tolerance
        )
        table.add_row(*cells)
    Console().print(table)
    print(f"peak memory above the networks {above_mb:.0f} MB, of which image and proposals {masks_mb:.0f} MB")
    refuse_slower({f"{name}, an image and an expression": ratio for name, ratio in times.items()})


def read_peak_mb() -> float:
    """Read the peak resident memory of this process in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure_method(
    method: Method,
    naive: Method,
    image: Image,
    proposals: Proposals,
    parsed: list[ParsedExpression],
    repeats: int,
    tolerance: float,
) -> tuple[list[str], float]:
    """Measure one method on the image and on each expression; the peer starts anew for each.

    Returns:
        The cells of its row, and how many times as fast as the peer it is for an image and an expression.
    """
    scene = see_with_method(method, image, proposals)
    see_s = _measure_seconds(lambda: method.see(image, proposals), repeats)
    naive_see_s = _measure_seconds(lambda: naive.see(image, proposals), max(1, repeats - 1))
    refer_s = statistics.mean(
        _measure_seconds(lambda e=e: method.score(scene, [e]), repeats)
        for e in parsed  # type: ignore[misc]
    )
    naive_s = statistics.mean(
        _measure_seconds(lambda e=e: naive.score(see_with_method(naive, image, proposals), [e]), 1)  # type: ignore[misc]
        for e in parsed[:2]
    )
    for e in parsed[:2]:
        (ours,), (theirs,) = (
            method.score(scene, [e]),
            naive.score(see_with_method(naive, image, proposals), [e]),
        )
        np.testing.assert_allclose(ours.scores, theirs.scores, atol=tolerance)
    first_s = see_s + refer_s
    return [
        method.name, f"{1e3 * see_s:.0f} ms", f"{naive_see_s / see_s:.2f}",
        f"{1e3 * refer_s:.1f} ms", f"1/{first_s / refer_s:.0f}",
        f"{1e3 * naive_s:.0f} ms", f"{naive_s / refer_s:.1f}",
    ], naive_s / first_s  # fmt: skip


def see_with_method(method: Method, image: Image, proposals: Proposals) -> Scene:
    """Make the scene of one method."""
    codes = tuple(rle.encode_rle(mask) for mask in proposals.masks)
    boxes = tuple(tuple(box) for box in proposals.boxes.tolist())
    features = {method.name: method.see(image, proposals)}
    return Scene(image.digest, image.size, codes, boxes, proposals.quality, features)


if __name__ == "__main__":
    main()
