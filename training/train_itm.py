"""Train the tiny image-text matcher: `python -m training.train_itm --clip DIR --out DIR`.

The matching loss alone cannot teach "left dog", because the text fits every image with two dogs. So the heat
map of IteRPrimE, attention times its gradient with the primary word emphasised, is trained to lie on the
referent; this differentiates twice.
"""

import argparse
import dataclasses
import random
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F
from transformers import AutoTokenizer, BlipForImageTextRetrieval

from ris.core.resize import resize
from ris.referring.crops import squash_image
from ris.tinyworld.scene import SyntheticScene
from ris.tinyworld.sprites import COLOURS
from ris.tinyworld.words import choose_noun_word
from ris.tinyworld.writer import Expression
from training.arguments import make_training_parser, prepare_training
from training.blip import (
    BLIP_GRID,
    IMAGE_SIDE,
    MAX_TOKENS,
    MEAN,
    STD,
    Probe,
    copy_clip_weights,
    make_blip_config,
)
from training.optimise import Optimisers, run_training_steps
from training.sampling import choose_balanced, jitter_mask, pick_scene, vary_brightness

ITM_LAYER = 2  # the third of four, because in the last only the class token has a gradient
# Words that IteRPrimE ignores by their part of speech; a list, because a parser would be slow here.
FUNCTION_WORDS = frozenset(
    """
    a an the of to in on at from by and or is that which not neither nor than next close near between
    behind under below beneath above over beside with , . -
    """.split()  # noqa: SIM905  # as in tokenizer.py
)


@dataclass
class ItmBatch:
    """The data of one step.

    Attributes:
        pictures: B scenes, each float32 [3, S, S].
        coverage: for each scene the share of each patch that each thing covers, float32 [things, G * G].
        texts, text_scene: texts, and the scene of each.
        is_true: whether the text fits its scene.
        referent: index of the referent; -1 where the text does not fit.
        subject_end: character at which the referent's noun ends; 0 where the text does not fit.
        kind: the expression's kind, or "false".
    """

    pictures: list[NDArray[np.float32]] = field(default_factory=list)
    coverage: list[NDArray[np.float32]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    text_scene: list[int] = field(default_factory=list)
    is_true: list[bool] = field(default_factory=list)
    referent: list[int] = field(default_factory=list)
    subject_end: list[int] = field(default_factory=list)
    kind: list[str] = field(default_factory=list)

    def add(self, text: str, scene: int, expression: Expression | None) -> None:
        """Add a text; an `expression` of None does not fit the scene."""
        self.texts.append(text)
        self.text_scene.append(scene)
        self.is_true.append(expression is not None)
        self.referent.append(expression.referent if expression else -1)
        end = text.index(expression.subject) + len(expression.subject) if expression else 0
        self.subject_end.append(end)
        self.kind.append(expression.kind if expression else "false")


def make_itm_batch(rng: random.Random, args: argparse.Namespace) -> ItmBatch:
    """Draw the scenes and texts of one step."""
    batch = ItmBatch()
    drawn = [pick_scene(rng) for _ in range(args.scenes)]
    for index, (scene, expressions) in enumerate(drawn):
        image = dataclasses.replace(scene, image=vary_brightness(scene.image, rng)).image
        batch.pictures.append(squash_image(image, IMAGE_SIDE, mean=MEAN, std=STD))
        masks = np.array([jitter_mask(scene.get_mask(i), rng) for i in range(len(scene.things))])
        batch.coverage.append(resize(masks, (BLIP_GRID, BLIP_GRID), antialias=True).reshape(len(masks), -1))
        for expression in choose_balanced(expressions, args.expressions, rng):
            batch.add(expression.text, index, expression)
        for _ in range(args.false):
            batch.add(make_false_text(drawn, index, rng), index, None)
    return batch


def make_false_text(
    drawn: list[tuple[SyntheticScene, list[Expression]]], index: int, rng: random.Random
) -> str:
    """Make a text that fits nothing in a scene: its noun is not there, or not in this colour."""
    scene = drawn[index][0]
    present = {thing.noun for thing in scene.things}
    if rng.random() < 0.5:
        for other, expressions in rng.sample(drawn, len(drawn)):
            elsewhere = [e for e in expressions if other.things[e.referent].noun not in present]
            if elsewhere:
                return rng.choice(elsewhere).text
    noun = rng.choice(sorted(present))
    seen = {thing.colour for thing in scene.things if thing.noun == noun}
    colour = rng.choice([c for c in COLOURS if c not in seen])
    return f"{rng.choice(('the ', ''))}{colour} {choose_noun_word(noun, rng)}"


@dataclass(frozen=True)
class TokenBatch:
    """Padded token ids, and the role of each token; all [T, L].

    Attributes:
        ids: token ids.
        is_text: the attention mask.
        is_focus: neither a function word nor [CLS] nor [SEP].
        is_primary: the last token of the referent's noun.
    """

    ids: Tensor
    is_text: Tensor
    is_focus: Tensor
    is_primary: Tensor


def tokenize_batch(tokenizer: Any, batch: ItmBatch) -> TokenBatch:
    """Tokenise the texts with a fast tokenizer."""
    coded = tokenizer(
        batch.texts,
        padding=True,
        truncation=True,
        max_length=MAX_TOKENS,
        return_tensors="pt",
        return_offsets_mapping=True,
        return_special_tokens_mask=True,
    )
    small = torch.tensor(
        [
            [text[a:b] in FUNCTION_WORDS for a, b in offsets]
            for text, offsets in zip(batch.texts, coded["offset_mapping"].tolist(), strict=True)
        ]
    )
    ends = coded["offset_mapping"][..., 1]
    focus = (coded["special_tokens_mask"] == 0) & ~small
    primary = (ends == torch.tensor(batch.subject_end)[:, None]) & (ends > 0)
    return TokenBatch(coded["input_ids"], coded["attention_mask"], focus, primary)


def compute_emphasised_heat(attention: Tensor, gradient: Tensor, tokens: TokenBatch) -> Tensor:
    """Compute the heat maps of IteRPrimE with primary word emphasis, for texts of different lengths.

    `ris.referring.emphasis.emphasise_primary_word` is the method; this is the same sum before it is scaled
    to [0, 1], and is differentiable. A text of one word has no other words to compare with; here the term
    is 0.

    Args:
        attention: [T, heads, L, P].
        gradient: [T, heads, L, P], negative values set to 0.
        tokens: the roles of the tokens.

    Returns:
        [T, P].
    """
    cam = attention * gradient
    focus, primary = (m.to(cam.dtype)[:, None, :, None] for m in (tokens.is_focus, tokens.is_primary))
    n_focus = focus.sum(2)
    own_attention, own_gradient = (attention * primary).sum(2), (gradient * primary).sum(2)
    others = focus * (1 - primary)
    distance = (own_attention[:, :, None] - attention) * others
    length = distance.square().sum(2, keepdim=True).clamp(min=1e-16).sqrt()
    local = (distance / length).sum(2) * own_gradient.square() * own_attention
    total = cam[:, :, 0] + local + (cam * focus).sum(2) + n_focus * (cam * primary).sum(2)
    return (total / (1 + others.sum(2) + 2 * n_focus)).mean(1)


def compute_itm_losses(
    model: BlipForImageTextRetrieval, probe: Probe, batch: ItmBatch, tokens: TokenBatch
) -> tuple[dict[str, Tensor], dict[str, list[bool]]]:
    """Compute the parts of the loss, and by kind whether the heat map chose the referent and peaked in it."""
    scene = torch.tensor(batch.text_scene)
    is_true = torch.tensor(batch.is_true)
    with torch.autocast("cpu", torch.bfloat16):
        states = model.vision_model(torch.from_numpy(np.stack(batch.pictures))).last_hidden_state[scene]
        hidden = model.text_encoder(
            input_ids=tokens.ids,
            attention_mask=tokens.is_text,
            encoder_hidden_states=states,
            encoder_attention_mask=torch.ones(states.shape[:2], dtype=torch.long),
            is_decoder=False,
        ).last_hidden_state
        logits = model.itm_head(hidden[:, 0]).float()
    (gradient,) = torch.autograd.grad(logits[is_true, 1].sum(), probe.probabilities, create_graph=True)
    attention = probe.probabilities.float()[is_true][..., 1:]
    kept = TokenBatch(*(getattr(tokens, f.name)[is_true] for f in dataclasses.fields(TokenBatch)))
    maps = compute_emphasised_heat(attention, gradient.float()[is_true][..., 1:].clamp(min=0), kept).clamp(
        min=0
    )

    most = max(len(c) for c in batch.coverage)
    coverage = torch.zeros(len(batch.coverage), most, BLIP_GRID * BLIP_GRID)
    for index, things in enumerate(batch.coverage):
        coverage[index, : len(things)] = torch.from_numpy(things)
    coverage = coverage[scene[is_true]]
    referent = torch.tensor(batch.referent)[is_true]
    rows = torch.arange(len(referent))
    inside = coverage[rows, referent]
    shares = maps / maps.sum(1, keepdim=True).clamp(min=1e-9)
    # For the mass, a patch counts whole or not: at the edge of a thing, patches are covered in part.
    mass = (shares * (inside > 0.3 * inside.amax(1, keepdim=True))).sum(1)
    means = (coverage * maps[:, None]).sum(2) / coverage.sum(2).clamp(min=1e-3)
    choice = torch.log(means / maps.mean(1, keepdim=True).clamp(min=1e-9) + 1e-3)
    choice = choice.masked_fill(coverage.sum(2) == 0, -1e4)
    looked = ((attention.mean(1) * (inside > 0)[:, None]).sum(-1).clamp(min=1e-4).log() * kept.is_text).sum()
    hits = choice.argmax(1) == referent
    peaks = inside.gather(1, maps.argmax(1, keepdim=True))[:, 0] > 0.25
    seen: dict[str, list[bool]] = {"peak": peaks.tolist()}
    for kind, hit in zip([k for k in batch.kind if k != "false"], hits.tolist(), strict=True):
        seen.setdefault(f"right.{kind}", []).append(hit)
    seen["match"] = (logits.argmax(1) == is_true.long()).tolist()
    return {
        "match": F.cross_entropy(logits, is_true.long()),
        "attention": -0.5 * looked / kept.is_text.sum(),
        "mass": -mass.clamp(min=1e-3).log().mean(),
        "choice": 0.5 * F.cross_entropy(choice, referent),
    }, seen


def _parse_args() -> argparse.Namespace:
    parser = make_training_parser(__doc__, steps=5000, seed=21)
    parser.add_argument("--clip", type=Path, required=True, help="the trained tiny CLIP, with its tokenizer")
    parser.add_argument("--scenes", type=int, default=12, help="scenes per step")
    parser.add_argument("--expressions", type=int, default=6, help="expressions per scene")
    parser.add_argument("--false", type=int, default=2, help="texts per scene that fit nothing in it")
    return parser.parse_args()


def main() -> None:
    """Train, or resume a training."""
    args = _parse_args()
    prepare_training(args)
    tokenizer = AutoTokenizer.from_pretrained(args.clip)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(args.clip / name, args.out)

    model = BlipForImageTextRetrieval(make_blip_config(len(tokenizer), text_layers=4, text_inner=768)).train()
    copy_clip_weights(model.vision_model, model.text_encoder.embeddings.word_embeddings, args.clip)
    probe = Probe(model.text_encoder, ITM_LAYER)
    optimisers = Optimisers(model, steps=args.steps)
    for step, curve in run_training_steps(args.out, model, optimisers, export_itm):
        batch = make_itm_batch(random.Random(args.seed * 10**7 + step), args)
        parts, seen = compute_itm_losses(model, probe, batch, tokenize_batch(tokenizer, batch))
        optimisers.step(torch.stack(list(parts.values())).sum(), step)
        for part, value in parts.items():
            curve.add(f"loss.{part}", value.item())
        for name, hits in seen.items():
            curve.add(name, sum(hits), len(hits))


def export_itm(model: BlipForImageTextRetrieval, out: Path) -> None:
    """Write safetensors in half precision and the config, as `from_pretrained` reads them."""
    state = {k: v.half() if v.is_floating_point() else v for k, v in model.state_dict().items()}
    model.save_pretrained(out, state_dict=state)


if __name__ == "__main__":
    main()
