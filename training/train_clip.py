"""Train the tiny CLIP from scratch: `python -m training.train_clip --tokenizer DIR --out DIR`.

The network learns the features that Global-Local CLIP uses, by the functions of the program: those of the
masked image (patches are multiplied before each of the last blocks), those of the masked crop, and their
mixture. README.md says which measures helped.
"""

import argparse
import dataclasses
import json
import random
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
from numpy.typing import NDArray
from open_clip.model import CLIP
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F
from transformers import AutoTokenizer

from ris.pretrained.catalog.presets import TINY
from ris.referring.crops import crop_masked, make_patch_grid, normalise_image, squash_picture
from ris.tinyworld.descriptions import make_caption, make_name
from ris.tinyworld.scene import SyntheticScene, make_scene
from ris.tinyworld.writer import Expression
from training import plain_blocks
from training.arguments import make_training_parser, prepare_training
from training.optimise import Optimisers, make_grid_positions, make_whitening_filters, run_training_steps
from training.sampling import choose_balanced, jitter_mask, pick_scene, vary_brightness

FRAMING = TINY.global_local.framing
FIRST_MASKED_BLOCK = TINY.global_local.first_masked_block
END_ID = 3  # [SEP]
_SIDE, _PATCH = 144, 12
_MASKED_LOGIT = -1e4  # of candidates that are excluded


@dataclass
class ClipBatch:
    """The data of one step. Indices of things are over the whole batch.

    Attributes:
        pictures: B scenes, each float32 [3, S, S].
        crops: C crops, each float32 [3, S, S].
        thing_scene, thing_noun, thing_look, grids: for each thing its scene, noun, (noun, colour, shade) and
            patch grid [G * G].
        crop_thing, crop_name: for each crop its thing, and a name for it.
        texts, subjects: expressions and their noun phrases.
        text_scene, text_thing, text_kind: for each expression its scene, referent and kind.
        captions: one for each scene.
    """

    pictures: list[NDArray[np.float32]] = field(default_factory=list)
    crops: list[NDArray[np.float32]] = field(default_factory=list)
    thing_scene: list[int] = field(default_factory=list)
    thing_noun: list[str] = field(default_factory=list)
    thing_look: list[tuple[str, str | None, str | None]] = field(default_factory=list)
    grids: list[NDArray[np.float32]] = field(default_factory=list)
    crop_thing: list[int] = field(default_factory=list)
    crop_name: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    subjects: list[str] = field(default_factory=list)
    text_scene: list[int] = field(default_factory=list)
    text_thing: list[int] = field(default_factory=list)
    text_kind: list[str] = field(default_factory=list)
    captions: list[str] = field(default_factory=list)


def make_clip_batch(rng: random.Random, args: argparse.Namespace) -> ClipBatch:
    """Draw the scenes of one step."""
    batch = ClipBatch()
    for index in range(args.scenes):
        scene, expressions = pick_scene(rng)
        scene = dataclasses.replace(scene, image=vary_brightness(scene.image, rng))
        add_scene(batch, scene, expressions, index, rng, with_crops=index < args.crop_scenes, args=args)
    return batch


def add_scene(
    batch: ClipBatch,
    scene: SyntheticScene,
    expressions: list[Expression],
    index: int,
    rng: random.Random,
    *,
    with_crops: bool,
    args: argparse.Namespace,
) -> None:
    """Add a scene, its things and its expressions to a batch."""
    side, grid = _SIDE, _SIDE // _PATCH
    picture = normalise_image(scene.image, FRAMING)
    batch.pictures.append(squash_picture(picture, side, FRAMING))
    batch.captions.append(make_caption(scene, rng))
    first = len(batch.grids)
    for number, thing in enumerate(scene.things):
        mask = jitter_mask(scene.instances == number + 1, rng)
        batch.thing_scene.append(index)
        batch.thing_noun.append(thing.noun)
        batch.thing_look.append((thing.noun, thing.colour, thing.shade))
        batch.grids.append(make_patch_grid(mask, grid, FRAMING).ravel())
        if with_crops:
            batch.crops.append(crop_masked(picture, mask, side, FRAMING))
            batch.crop_thing.append(first + number)
            batch.crop_name.append(rng.choice(["a ", "the ", "", ""]) + make_name(thing, rng))
    for expression in choose_balanced(expressions, args.expressions, rng):
        batch.texts.append(expression.text)
        batch.subjects.append(expression.subject)
        batch.text_scene.append(index)
        batch.text_thing.append(first + expression.referent)
        batch.text_kind.append(expression.kind)


@dataclass(frozen=True)
class BatchFeatures:
    """Unnormalised features of one batch: of things, crops, scenes and texts, each [n, D]."""

    masked: Tensor
    crops: Tensor
    scenes: Tensor
    texts: Tensor
    subjects: Tensor
    names: Tensor
    captions: Tensor


def compute_zero_share(step: int, steps: int) -> float:
    """Compute the weight of zeroed patches, which grows from 1e-5 to 1 in the first 40 % of the steps."""
    return float(10 ** (-5 * max(0.0, 1 - step / (0.4 * steps))))


def encode_batch(
    model: CLIP,
    tokenizer: open_clip.tokenizer.HFTokenizer,
    batch: ClipBatch,
    device: str,
    *,
    zero_share: float,
) -> BatchFeatures:
    """Encode a batch; `zero_share` is that of `plain_blocks.see_through_compact`."""
    visual, n_scenes = model.visual, len(batch.pictures)
    pictures = torch.from_numpy(np.stack(batch.pictures + batch.crops)).to(device)
    words = [batch.texts, batch.subjects, batch.crop_name, batch.captions]
    ids = tokenizer([text for group in words for text in group]).to(device)
    with torch.autocast(device, torch.bfloat16):
        tokens = plain_blocks.run_first_blocks(visual, pictures, FIRST_MASKED_BLOCK)
        plain = plain_blocks.run_last_blocks(visual, tokens, FIRST_MASKED_BLOCK)
        masked = plain_blocks.see_through_compact(
            visual,
            tokens,
            torch.tensor(batch.thing_scene, device=device),
            torch.from_numpy(np.stack(batch.grids)).to(device),
            FIRST_MASKED_BLOCK,
            zero_share=zero_share,
        )
        encoded = plain_blocks.encode_text(model, ids, END_ID).float()
    texts, subjects, names, captions = torch.split(encoded, [len(group) for group in words])
    return BatchFeatures(
        masked.float(), plain[n_scenes:].float(), plain[:n_scenes].float(), texts, subjects, names, captions
    )


def compute_clip_losses(
    model: CLIP, batch: ClipBatch, features: BatchFeatures
) -> tuple[dict[str, Tensor], Tensor]:
    """Compute the parts of the loss, and for which expressions the masked feature alone is right."""
    device = features.masked.device
    scale = model.logit_scale.exp().clamp(max=60)
    nouns = {noun: i for i, noun in enumerate(sorted(set(batch.thing_noun)))}
    noun = torch.tensor([nouns[n] for n in batch.thing_noun], device=device)
    scene = torch.tensor(batch.thing_scene, device=device)
    text_scene = torch.tensor(batch.text_scene, device=device)
    referent = torch.tensor(batch.text_thing, device=device)
    row = torch.arange(len(referent), device=device)

    logits = scale * _normalise(features.texts) @ _normalise(features.masked).t()
    here = text_scene[:, None] == scene[None]
    other_noun = noun[referent][:, None] != noun[None]
    # "left dog" fits a dog of another scene too, so things of the same noun elsewhere are no negatives.
    inside = logits.masked_fill(~here, _MASKED_LOGIT)
    everywhere = logits.masked_fill(~(here | other_noun), _MASKED_LOGIT)
    is_referent = referent[:, None] == torch.arange(len(noun), device=device)[None]
    wrong = logits.masked_fill(~((other_noun | here) & ~is_referent), _MASKED_LOGIT)
    right = logits[row, referent]
    against = torch.logsumexp(wrong, 0)[referent]
    return {
        "inside": F.cross_entropy(inside, referent),
        "everywhere": 0.5 * F.cross_entropy(everywhere, referent),
        "things": 0.5 * (torch.logaddexp(right, against) - right).mean(),
        "crops": 0.7 * _compute_crop_loss(batch, features, scale),
        "mixture": 0.7 * _compute_mixture_loss(batch, features, scale, referent),
        "captions": 0.3
        * _compute_pair_loss(scale * _normalise(features.scenes) @ _normalise(features.captions).t()),
    }, inside.argmax(1) == referent


def _normalise(features: Tensor) -> Tensor:
    return F.normalize(features, dim=-1)


def _compute_pair_loss(logits: Tensor) -> Tensor:
    target = torch.arange(len(logits), device=logits.device)
    return 0.5 * (F.cross_entropy(logits, target) + F.cross_entropy(logits.t(), target))


def _compute_crop_loss(batch: ClipBatch, features: BatchFeatures, scale: Tensor) -> Tensor:
    """Compute the loss of crops against names; a name that also fits another crop is no negative for it."""
    logits = scale * _normalise(features.crops) @ _normalise(features.names).t()
    looks = [batch.thing_look[thing] for thing in batch.crop_thing]
    fits = torch.tensor(
        [
            [_is_fitting_name(words, a, b) for words, b in zip(batch.crop_name, looks, strict=True)]
            for a in looks
        ]
    )
    fits.fill_diagonal_(False)
    return _compute_pair_loss(logits.masked_fill(fits.to(logits.device), _MASKED_LOGIT))


def _is_fitting_name(
    words: str, look: tuple[str, str | None, str | None], named: tuple[str, str | None, str | None]
) -> bool:
    """Whether a name of one thing is true of another: same noun, and its colour and shade fit."""
    parts = set(words.split())
    return look[0] == named[0] and all(
        value == other for value, other in zip(look[1:], named[1:], strict=True) if other in parts
    )


def _compute_mixture_loss(
    batch: ClipBatch, features: BatchFeatures, scale: Tensor, referent: Tensor
) -> Tensor:
    """Compute the loss of Global-Local CLIP's score, with mixed features, in the scenes that have crops."""
    crop_of = {thing: i for i, thing in enumerate(batch.crop_thing)}
    rows = [i for i, thing in enumerate(batch.text_thing) if thing in crop_of]
    visual = 0.6 * features.masked[batch.crop_thing] + 0.4 * features.crops
    words = 0.7 * features.texts[rows] + 0.3 * features.subjects[rows]
    logits = scale * _normalise(words) @ _normalise(visual).t()
    crop_scene = torch.tensor([batch.thing_scene[thing] for thing in batch.crop_thing])
    here = torch.tensor([batch.text_scene[i] for i in rows])[:, None] == crop_scene[None]
    target = torch.tensor([crop_of[batch.text_thing[i]] for i in rows], device=logits.device)
    return F.cross_entropy(logits.masked_fill(~here.to(logits.device), _MASKED_LOGIT), target)


def make_open_clip_config(vocabulary: int) -> dict[str, Any]:
    """Make the content of `open_clip_config.json`."""
    vision = {
        "image_size": _SIDE,
        "patch_size": _PATCH,
        "width": 192,
        "layers": 6,
        "head_width": 64,
        "no_ln_pre": True,
    }
    text = {
        "context_length": 24,
        "vocab_size": vocabulary,
        "hf_tokenizer_name": "local",
        "width": 192,
        "heads": 3,
        "layers": 3,
        "pool_type": "eos",
        "eos_id": END_ID,
        "pad_id": 0,
    }
    preprocess = {
        "mean": list(FRAMING.mean),
        "std": list(FRAMING.std),
        "interpolation": "bilinear",
        "resize_mode": "squash",
    }
    return {
        "model_cfg": {"embed_dim": 192, "vision_cfg": vision, "text_cfg": text},
        "preprocess_cfg": preprocess,
    }


def make_clip(config: dict[str, Any], rng: random.Random) -> CLIP:
    """Build the network with its initial weights."""
    model_config = config["model_cfg"]
    model = CLIP(model_config["embed_dim"], model_config["vision_cfg"], model_config["text_cfg"])
    visual, vision = model.visual, model_config["vision_cfg"]
    sample = [normalise_image(make_scene(rng, split="train").image, FRAMING) for _ in range(200)]
    pictures = torch.from_numpy(
        np.stack([squash_picture(picture, vision["image_size"], FRAMING) for picture in sample])
    )
    with torch.no_grad():
        visual.conv1.weight.copy_(make_whitening_filters(pictures, vision["width"], vision["patch_size"]))
        visual.positional_embedding.copy_(make_grid_positions(vision["width"], visual.grid_size[0]))
    return model.train()


def export_clip(model: CLIP, out: Path) -> None:
    """Write safetensors in half precision, as `ClipEncoder.load` reads them."""
    state = {k: v.half().contiguous() if v.is_floating_point() else v for k, v in model.state_dict().items()}
    save_file(state, out / "open_clip_model.safetensors")


def _parse_args() -> argparse.Namespace:
    parser = make_training_parser(__doc__, steps=5000, seed=0)
    parser.add_argument("--tokenizer", type=Path, required=True, help="folder that training.tokenizer wrote")
    parser.add_argument("--scenes", type=int, default=16, help="scenes per step")
    parser.add_argument("--crop-scenes", type=int, default=3, help="scenes per step with crops of all things")
    parser.add_argument("--expressions", type=int, default=8, help="expressions per scene")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    return parser.parse_args()


def main() -> None:
    """Train, or resume a training."""
    args = _parse_args()
    prepare_training(args)
    config = make_open_clip_config(len(AutoTokenizer.from_pretrained(args.tokenizer)))
    (args.out / "open_clip_config.json").write_text(json.dumps(config, indent=1) + "\n")
    for file in args.tokenizer.iterdir():
        shutil.copy(file, args.out)

    model = make_clip(config, random.Random(args.seed)).to(args.device)
    tokenizer = open_clip.get_tokenizer(f"local-dir:{args.out}")
    optimisers = Optimisers(model, steps=args.steps)
    for step, curve in run_training_steps(args.out, model, optimisers, export_clip):
        batch = make_clip_batch(random.Random(args.seed * 10**7 + step), args)
        share = compute_zero_share(step, args.steps)
        features = encode_batch(model, tokenizer, batch, args.device, zero_share=share)
        parts, hits = compute_clip_losses(model, batch, features)
        optimisers.step(torch.stack(list(parts.values())).sum(), step)
        for part, value in parts.items():
            curve.add(part, value.item())
        for kind, hit in zip(batch.text_kind, hits.tolist(), strict=True):
            curve.add(f"right.{kind}", hit)


if __name__ == "__main__":
    main()
