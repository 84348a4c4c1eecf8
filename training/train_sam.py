"""Train the tiny SAM from scratch: `python -m training.train_sam --out DIR`.

The network is a small `segment_anything.modeling.Sam`. Prompts are clicks on things, boxes, and clicks on the
background, whose masks get a predicted IoU of 0.
"""

import argparse
import json
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from segment_anything.modeling import Sam
from torch import Tensor
from torch.nn import functional as F

from ris.pretrained.masks.sam import build_sam
from ris.tinyworld.scene import SyntheticScene, make_scene
from training.arguments import make_training_parser, prepare_training
from training.optimise import Optimisers, make_grid_positions, make_whitening_filters, run_training_steps

SAM_CONFIG: dict[str, Any] = {
    "image_size": 256,
    "patch_size": 16,
    "encoder": {"width": 192, "depth": 4, "heads": 3},
    "decoder": {
        "width": 64,
        "depth": 2,
        "heads": 4,
        "mlp_width": 256,
        "iou_head_depth": 3,
        "iou_head_width": 64,
    },
    "mask_in_channels": 16,
    "pixel_mean": [123.675, 116.28, 103.53],
    "pixel_std": [58.395, 57.12, 57.375],
}
_SIDE = SAM_CONFIG["image_size"]
_GRID = _SIDE // SAM_CONFIG["patch_size"]
MASK_SIDE = 4 * _GRID  # side of the decoder's logits, in pixels
_MIN_PROMPTED_AREA_PX = 60


@dataclass
class SamBatch:
    """The data of one step.

    Attributes:
        images: normalised images, each float32 [3, SIDE, SIDE].
        image: index of each prompt's image.
        points: for each prompt [2, 2], XY in pixels of the padded image: a click and zeros, or the corners
            of a box.
        is_box: whether the prompt is a box.
        is_ground: whether the prompt is a click on the background.
        targets: for each prompt the covered share of each pixel, float32 [MASK_SIDE, MASK_SIDE].
    """

    images: list[Tensor] = field(default_factory=list)
    image: list[int] = field(default_factory=list)
    points: list[list[list[float]]] = field(default_factory=list)
    is_box: list[bool] = field(default_factory=list)
    is_ground: list[bool] = field(default_factory=list)
    targets: list[NDArray[np.float32]] = field(default_factory=list)


def make_sam_batch(rng: random.Random, model: Sam, args: argparse.Namespace) -> SamBatch:
    """Draw the images and prompts of one step."""
    batch = SamBatch()
    noise = np.random.default_rng(rng.getrandbits(32))
    for index in range(args.images):
        add_image(
            batch, *crop_scene(make_scene(rng, split="train"), rng), index, rng, noise, model, args.prompts
        )
    return batch


def crop_scene(scene: SyntheticScene, rng: random.Random) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Crop image and instances at random, so that things become larger and some are cut by the edge."""
    if rng.random() < 0.6:
        return scene.image, scene.instances
    height, width = scene.instances.shape
    share = rng.uniform(0.5, 0.95)
    h, w = int(height * share), int(width * share)
    y, x = rng.randrange(height - h + 1), rng.randrange(width - w + 1)
    return scene.image[y : y + h, x : x + w], scene.instances[y : y + h, x : x + w]


def add_image(
    batch: SamBatch,
    image: NDArray[np.uint8],
    instances: NDArray[np.uint8],
    index: int,
    rng: random.Random,
    noise: np.random.Generator,
    model: Sam,
    n_prompts: int,
) -> None:
    """Add an image and its prompts to a batch."""
    scale = _SIDE / max(instances.shape)
    height, width = (int(length * scale + 0.5) for length in instances.shape)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    pixels = cv2.resize(image, (width, height), interpolation=how).astype(np.float32)
    pixels = pixels * (1 + rng.uniform(-0.15, 0.15)) + noise.normal(0, rng.uniform(0, 4), pixels.shape)
    tensor = torch.from_numpy(np.clip(pixels, 0, 255).astype(np.float32)).permute(2, 0, 1)
    tensor = (tensor - model.pixel_mean.cpu()) / model.pixel_std.cpu()
    batch.images.append(F.pad(tensor, (0, _SIDE - width, 0, _SIDE - height)))

    for number in choose_prompted_things(instances, rng, n_prompts):
        mask = instances == number
        target = np.zeros((_SIDE, _SIDE), np.float32)
        if number:
            resized = cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
            target[:height, :width] = resized
        is_box = bool(number) and rng.random() < 0.2
        batch.image.append(index)
        batch.is_box.append(is_box)
        batch.is_ground.append(number == 0)
        batch.points.append(make_box_prompt(mask, scale, rng) if is_box else make_click(mask, scale, rng))
        target = np.asarray(
            cv2.resize(target, (MASK_SIDE, MASK_SIDE), interpolation=cv2.INTER_AREA), np.float32
        )
        batch.targets.append(target)


def choose_prompted_things(instances: NDArray[np.uint8], rng: random.Random, count: int) -> list[int]:
    """Choose the instances to prompt for: each thing once, some twice, and the background (0) once."""
    areas = np.bincount(instances.ravel())
    things = [i for i in range(1, len(areas)) if areas[i] > _MIN_PROMPTED_AREA_PX]
    if not things or not areas[0]:
        return [0 if areas[0] else 1] * count
    rng.shuffle(things)
    extra = [rng.choice(things) for _ in range(count)]
    return [*[*things, *extra][: count - 1], 0]


def make_click(mask: NDArray[np.bool_], scale: float, rng: random.Random) -> list[list[float]]:
    """Choose a click in a mask: XY times `scale`, and zeros."""
    rows, columns = np.nonzero(mask)
    i = rng.randrange(len(rows))
    return [[(columns[i] + 0.5) * scale, (rows[i] + 0.5) * scale], [0.0, 0.0]]


def make_box_prompt(mask: NDArray[np.bool_], scale: float, rng: random.Random) -> list[list[float]]:
    """Make the two corners of a mask's box, times `scale`, with noise of 2 pixels."""
    rows, columns = np.nonzero(mask)
    corners = [[columns.min(), rows.min()], [columns.max() + 1, rows.max() + 1]]
    return [[float(value) * scale + rng.gauss(0, 2) for value in corner] for corner in corners]


def decode_batch(model: Sam, batch: SamBatch, device: str) -> tuple[Tensor, Tensor]:
    """Compute logits [P, 4, MASK_SIDE, MASK_SIDE] and predicted IoU [P, 4] for prompts of several images.

    `MaskDecoder.predict_masks` takes the prompts of one image only; the results are the same.
    """
    encoder, decoder = model.prompt_encoder, model.mask_decoder
    image = torch.tensor(batch.image, device=device)
    is_box = torch.tensor(batch.is_box, device=device)[:, None, None]
    points = torch.tensor(batch.points, dtype=torch.float32, device=device) + torch.where(is_box, 0.5, 0.0)
    positions = encoder.pe_layer.forward_with_coords(points, (_SIDE, _SIDE))
    nothing = encoder.not_a_point_embed.weight.expand(len(positions), -1)
    clicks = torch.stack([positions[:, 0] + encoder.point_embeddings[1].weight, nothing], 1)
    corners = [positions[:, i] + encoder.point_embeddings[2 + i].weight for i in (0, 1)]
    sparse = torch.where(is_box, torch.stack(corners, 1), clicks)

    embedding = model.image_encoder(torch.stack(batch.images).to(device))
    own = torch.cat([decoder.iou_token.weight, decoder.mask_tokens.weight])
    tokens = torch.cat([own[None].expand(len(sparse), -1, -1), sparse], 1)
    source = embedding[image] + encoder.no_mask_embed.weight.reshape(1, -1, 1, 1)
    position = encoder.get_dense_pe().expand(len(tokens), -1, -1, -1)
    hidden, source = decoder.transformer(source, position, tokens)
    fine = decoder.output_upscaling(source.transpose(1, 2).reshape(len(tokens), -1, _GRID, _GRID))
    heads = decoder.output_hypernetworks_mlps
    weights = torch.stack([head(hidden[:, 1 + i]) for i, head in enumerate(heads)], 1)
    logits = (weights @ fine.flatten(2)).view(len(tokens), len(heads), MASK_SIDE, MASK_SIDE)
    return logits.float(), decoder.iou_prediction_head(hidden[:, 0]).float()


def compute_sam_losses(
    logits: Tensor, predicted: Tensor, batch: SamBatch, done: float
) -> tuple[Tensor, dict[str, tuple[float, float]]]:
    """Compute the loss, and (sum, count) of the curve's values.

    Args:
        logits: of `decode_batch`.
        predicted: predicted IoU of `decode_batch`.
        batch: the data.
        done: share of the training that is over. The loss is class-balanced at first: without that, the tiny
            decoder learns empty masks and never recovers.
    """
    device = logits.device
    target = torch.from_numpy(np.stack(batch.targets)).to(device)[:, None].expand_as(logits)
    ground = torch.tensor(batch.is_ground, device=device)
    box = torch.tensor(batch.is_box, device=device)
    pixel = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    inside = (pixel * target).sum((2, 3)) / target.sum((2, 3)).clamp(min=4)
    outside = (pixel * (1 - target)).sum((2, 3)) / (1 - target).sum((2, 3)).clamp(min=4)
    share = logits.sigmoid()
    overlap, total = (share * target).sum((2, 3)), share.sum((2, 3)) + target.sum((2, 3))
    dice = 1 - (2 * overlap + 1) / (total + 1)
    each = (
        max(0.0, 1 - 3 * done) * 0.5 * (inside + outside) + 3 * pixel.mean((2, 3)) + dice * ~ground[:, None]
    )
    single, best_of_three = each[:, 0], each[:, 1:].min(1).values + 0.15 * each[:, 1:].mean(1)
    masks = torch.where(ground, 0.3 * each.mean(1), single + best_of_three).mean()

    with torch.no_grad():
        true = compute_batch_iou(logits, target)
        true[ground] = 0
    trust = F.mse_loss(predicted, true)
    best = true[:, 1:].max(1).values
    clicked = ~ground & ~box
    return masks + 2 * trust, {
        "loss": (masks.item(), 1),
        "iou_error": (trust.item(), 1),
        "click.iou": (best[clicked].sum().item(), int(clicked.sum())),
        "click.over75": ((best[clicked] > 0.75).sum().item(), int(clicked.sum())),
        "box.over75": ((true[box & ~ground, 0] > 0.75).sum().item(), int((box & ~ground).sum())),
    }


def compute_batch_iou(logits: Tensor, target: Tensor) -> Tensor:
    """Compute the IoU of logits and targets [P, 4, h, w]: [P, 4]."""
    guess, truth = logits > 0, target > 0.5
    return (guess & truth).sum((2, 3)).float() / (guess | truth).sum((2, 3)).clamp(min=1)


def make_sam(rng: random.Random) -> Sam:
    """Build the network with its initial weights."""
    model = build_sam(SAM_CONFIG)
    encoder = model.image_encoder
    images = []
    for _ in range(150):
        image = make_scene(rng, split="train").image
        pixels = cv2.resize(image, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
        images.append((torch.from_numpy(pixels).permute(2, 0, 1) - model.pixel_mean) / model.pixel_std)
    width = SAM_CONFIG["encoder"]["width"]
    with torch.no_grad():
        model.prompt_encoder.pe_layer.positional_encoding_gaussian_matrix.mul_(2)
        encoder.patch_embed.proj.weight.copy_(
            make_whitening_filters(torch.stack(images), width, SAM_CONFIG["patch_size"])
        )
        encoder.patch_embed.proj.bias.zero_()
        encoder.pos_embed.copy_(make_grid_positions(width, _GRID)[1:].view(1, _GRID, _GRID, width))
    return model.train()


def export_sam(model: Sam, out: Path) -> None:
    """Write safetensors in half precision and the config, as `load_sam` reads them."""
    state = {k: v.half().contiguous() if v.is_floating_point() else v for k, v in model.state_dict().items()}
    save_file(state, out / "model.safetensors")
    (out / "config.json").write_text(json.dumps(SAM_CONFIG, indent=1) + "\n")


def _parse_args() -> argparse.Namespace:
    parser = make_training_parser(__doc__, steps=8000, seed=11)
    parser.add_argument("--images", type=int, default=8, help="images per step")
    parser.add_argument("--prompts", type=int, default=8, help="prompts per image")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    return parser.parse_args()


def main() -> None:
    """Train, or resume a training."""
    args = _parse_args()
    prepare_training(args)
    model = make_sam(random.Random(args.seed)).to(args.device)
    optimisers = Optimisers(model, steps=args.steps)
    for step, curve in run_training_steps(args.out, model, optimisers, export_sam):
        batch = make_sam_batch(random.Random(args.seed * 10**7 + step), model, args)
        with torch.autocast(args.device, torch.bfloat16):
            logits, predicted = decode_batch(model, batch, args.device)
        loss, seen = compute_sam_losses(logits, predicted, batch, step / args.steps)
        optimisers.step(loss, step)
        for name, (total, count) in seen.items():
            curve.add(name, total, count)


if __name__ == "__main__":
    main()
