"""Train the tiny describer: `python -m training.train_describer --itm DIR --out DIR`.

It starts from the image-text matcher, whose cross-attention finds the referent already, and learns to
describe how the referent looks ("[ATT]") and what is around it ("[SUR]").
"""

import argparse
import random
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional as F
from transformers import AutoTokenizer, BlipForConditionalGeneration

from ris.referring.crops import squash_image
from ris.tinyworld.descriptions import make_attribute_description, make_surrounding_description
from training.arguments import make_training_parser, prepare_training
from training.blip import IMAGE_SIDE, MAX_TOKENS, MEAN, PAD_ID, SEP_ID, START_ID, STD, make_blip_config
from training.optimise import Optimisers, run_training_steps
from training.sampling import choose_balanced, pick_scene, vary_brightness
from training.train_itm import export_itm

IGNORED_LABEL = -100  # of tokens without a loss
ATTRIBUTE_SHARE = 0.6


@dataclass
class DescriberBatch:
    """The data of one step: B scenes float32 [3, S, S], and for each text its scene, prompt and answer."""

    pictures: list[NDArray[np.float32]] = field(default_factory=list)
    text_scene: list[int] = field(default_factory=list)
    prompts: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)


def make_describer_batch(rng: random.Random, args: argparse.Namespace) -> DescriberBatch:
    """Draw the scenes, prompts and answers of one step."""
    batch = DescriberBatch()
    for index in range(args.scenes):
        scene, expressions = pick_scene(rng)
        batch.pictures.append(squash_image(vary_brightness(scene.image, rng), IMAGE_SIDE, mean=MEAN, std=STD))
        for expression in choose_balanced(expressions, args.expressions, rng):
            about_looks = rng.random() < ATTRIBUTE_SHARE
            batch.text_scene.append(index)
            batch.prompts.append(f"{'[ATT]' if about_looks else '[SUR]'} {expression.text} :")
            if about_looks:
                batch.answers.append(make_attribute_description(scene.things[expression.referent], scene))
            else:
                batch.answers.append(make_surrounding_description(expression.referent, scene))
    return batch


def encode_prompts(tokenizer: Any, batch: DescriberBatch) -> tuple[Tensor, Tensor]:
    """Make token ids [T, L] of prompts and answers, and labels [T, L] of the answers only."""
    prompts = tokenizer(batch.prompts, add_special_tokens=False)["input_ids"]
    answers = tokenizer(batch.answers, add_special_tokens=False)["input_ids"]
    rows = [([START_ID, *p], [*a, SEP_ID]) for p, a in zip(prompts, answers, strict=True)]
    longest = min(max(len(p) + len(a) for p, a in rows), MAX_TOKENS)
    ids = torch.full((len(rows), longest), PAD_ID)
    labels = torch.full((len(rows), longest), IGNORED_LABEL)
    for i, (prompt, answer) in enumerate(rows):
        whole = torch.tensor([*prompt, *answer])[:longest]
        ids[i, : len(whole)] = whole
        labels[i, len(prompt) : len(whole)] = whole[len(prompt) :]
    return ids, labels


def compute_describer_losses(
    model: BlipForConditionalGeneration, batch: DescriberBatch, ids: Tensor, labels: Tensor
) -> tuple[Tensor, dict[str, list[bool]]]:
    """Compute the mean cross-entropy of the answers, and which tokens and which whole answers are right."""
    with torch.autocast("cpu", torch.bfloat16):
        states = model.vision_model(torch.from_numpy(np.stack(batch.pictures))).last_hidden_state
        states = states[torch.tensor(batch.text_scene)]
        logits = model.text_decoder(
            input_ids=ids,
            attention_mask=(ids != PAD_ID).long(),
            encoder_hidden_states=states,
            encoder_attention_mask=torch.ones(states.shape[:2], dtype=torch.long),
        ).logits
    logits, target = logits[:, :-1].float(), labels[:, 1:]
    loss = F.cross_entropy(logits.flatten(0, 1), target.flatten(), ignore_index=IGNORED_LABEL)
    right = logits.argmax(-1) == target
    seen = {"pieces": right[target != IGNORED_LABEL].tolist()}
    for prompt, whole in zip(batch.prompts, (right | (target == IGNORED_LABEL)).all(1).tolist(), strict=True):
        seen.setdefault(f"whole.{prompt[1:4]}", []).append(whole)
    return loss, seen


def _parse_args() -> argparse.Namespace:
    parser = make_training_parser(__doc__, steps=6000, seed=31)
    parser.add_argument("--itm", type=Path, required=True, help="the trained matcher, with its tokenizer")
    parser.add_argument("--scenes", type=int, default=12, help="scenes per step")
    parser.add_argument("--expressions", type=int, default=6, help="expressions per scene")
    return parser.parse_args()


def make_describer(itm: Path, n_words: int) -> BlipForConditionalGeneration:
    """Build the network from the weights of the matcher; only the language head has random weights."""
    model: BlipForConditionalGeneration = BlipForConditionalGeneration(
        make_blip_config(n_words, text_layers=4, text_inner=768)
    ).train()
    state = model.state_dict()
    for name, tensor in load_file(itm / "model.safetensors").items():
        name = name.replace("text_encoder.", "text_decoder.bert.")
        if name in state:
            state[name] = tensor.float()
    model.load_state_dict(state)
    return model


def main() -> None:
    """Train, or resume a training."""
    args = _parse_args()
    prepare_training(args)
    tokenizer = AutoTokenizer.from_pretrained(args.itm)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(args.itm / name, args.out)

    model = make_describer(args.itm, len(tokenizer))
    optimisers = Optimisers(model, steps=args.steps)
    for step, curve in run_training_steps(args.out, model, optimisers, export_itm):
        batch = make_describer_batch(random.Random(args.seed * 10**7 + step), args)
        loss, seen = compute_describer_losses(model, batch, *encode_prompts(tokenizer, batch))
        optimisers.step(loss, step)
        curve.add("loss", loss.item())
        for name, hits in seen.items():
            curve.add(name, sum(hits), len(hits))


if __name__ == "__main__":
    main()
