"""Shared by the trainings: initial weights of ViTs, two optimisers, checkpoints, curves."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from open_clip.transformer import get_2d_sincos_pos_embed
from torch import Tensor, nn
from torch.nn import functional as F

from training.plain_blocks import compute_learning_rate_factor

_CHECKPOINT_INTERVAL = 250


def make_whitening_filters(pictures: Tensor, width: int, patch: int) -> Tensor:
    """Make patch filters [width, 3, patch, patch] that whiten patches of normalised images, by PCA.

    With PyTorch's initial weights, patch tokens have little more than the mean colour; with these filters the
    trainings here are several times faster. A random rotation mixes the components.

    Args:
        pictures: float32 [N, 3, S, S].
        width: number of filters.
        patch: side of a patch, in pixels.
    """
    patches = F.unfold(pictures, patch, stride=patch).transpose(1, 2).reshape(-1, 3 * patch * patch)
    patches = patches - patches.mean(0)
    values, vectors = torch.linalg.eigh(patches.t() @ patches / len(patches))
    values, vectors = values.flip(0)[:width], vectors.flip(1)[:, :width]
    filters = (vectors / (values + 1e-2 * values[0].clamp(max=1) + 1e-3).sqrt()).t()
    rotation = torch.linalg.qr(torch.randn(len(filters), len(filters)))[0]
    rotated: Tensor = rotation @ filters
    return rotated.view(len(filters), 3, patch, patch) * 0.7


def make_grid_positions(width: int, grid: int) -> Tensor:
    """Make sine-cosine positions [1 + grid * grid, width], class token first, scaled by 0.35."""
    return torch.from_numpy(get_2d_sincos_pos_embed(width, grid, cls_token=True)).float() * 0.35


class Optimisers:
    """Muon for the hidden matrices, AdamW for embeddings, norms, biases and heads; one schedule."""

    def __init__(self, model: nn.Module, *, steps: int, rate: float = 1e-3, muon_rate: float = 2e-3) -> None:
        named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
        hidden = [p for name, p in named if _is_hidden(name, p)]
        chosen = {id(p) for p in hidden}
        rest = [p for _, p in named if id(p) not in chosen]
        self.steps = steps
        self.parts = [
            (torch.optim.AdamW(rest, lr=rate, betas=(0.9, 0.98), weight_decay=0.0), rate),
            (
                torch.optim.Muon(
                    hidden, lr=muon_rate, weight_decay=0.05, momentum=0.95, adjust_lr_fn="match_rms_adamw"
                ),
                muon_rate,
            ),
        ]
        self.parameters = [p for _, p in named]

    def step(self, loss: Tensor, step: int) -> None:
        """Update the parameters by one step; gradients are clipped to norm 1."""
        for optimiser, rate in self.parts:
            optimiser.zero_grad(set_to_none=True)
            for group in optimiser.param_groups:
                group["lr"] = rate * compute_learning_rate_factor(step, self.steps)
        loss.backward()  # type: ignore[no-untyped-call]  # torch
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        for optimiser, _ in self.parts:
            optimiser.step()

    def get_state(self) -> list[dict[str, Any]]:
        """Get the state of both optimisers for a checkpoint."""
        return [optimiser.state_dict() for optimiser, _ in self.parts]

    def restore(self, state: list[dict[str, Any]]) -> None:
        """Restore the state from a checkpoint."""
        for (optimiser, _), saved in zip(self.parts, state, strict=True):
            optimiser.load_state_dict(saved)


def _is_hidden(name: str, parameter: Tensor) -> bool:
    outside = ("embed", "point_", "token", "pe_layer")
    return parameter.ndim == 2 and min(parameter.shape) >= 64 and not any(word in name for word in outside)


def save_checkpoint(path: Path, model: nn.Module, optimisers: Optimisers, step: int) -> None:
    """Write a checkpoint; the file is complete or not there."""
    part = path.with_suffix(".part")
    torch.save({"model": model.state_dict(), "optimisers": optimisers.get_state(), "step": step}, part)
    part.replace(path)


def load_checkpoint(path: Path, model: nn.Module, optimisers: Optimisers) -> int:
    """Load a checkpoint and return its step; 0 when there is none."""
    if not path.exists():
        return 0
    saved = torch.load(path, weights_only=True)
    model.load_state_dict(saved["model"])
    optimisers.restore(saved["optimisers"])
    return int(saved["step"])


class TrainingCurve:
    """Means over the last steps, written to the screen and to a JSON Lines file every `every` steps."""

    def __init__(self, path: Path, every: int = 50) -> None:
        self.path, self.every = path, every
        self.sums: dict[str, list[float]] = {}
        self.started = time.monotonic()

    def add(self, name: str, total: float, count: float = 1) -> None:
        """Add a sum of `count` values to a mean."""
        entry = self.sums.setdefault(name, [0.0, 0.0])
        entry[0] += total
        entry[1] += count

    def end_step(self, step: int, steps: int) -> None:
        """Write the means if the step is one that is written, and start new ones."""
        if step % self.every and step != steps:
            return
        means = {name: round(total / max(count, 1e-9), 4) for name, (total, count) in self.sums.items()}
        minutes = (time.monotonic() - self.started) / 60
        with self.path.open("a") as file:
            file.write(json.dumps({"step": step, "minutes": round(minutes, 2), **means}) + "\n")
        print(
            f"{step}/{steps} {minutes:.1f} min " + " ".join(f"{k} {v:.3f}" for k, v in means.items()),
            flush=True,
        )
        self.sums = {}


def run_training_steps(
    out: Path, model: nn.Module, optimisers: Optimisers, export: Callable[[Any, Path], None]
) -> Iterator[tuple[int, TrainingCurve]]:
    """Yield the remaining steps, each with the training curve.

    A training that was stopped resumes from its checkpoint. Every 250 steps, and after the last, a checkpoint
    is written and the model is exported.
    """
    checkpoint, curve = out / "checkpoint.pt", TrainingCurve(out / "curve.jsonl")
    for step in range(load_checkpoint(checkpoint, model, optimisers) + 1, optimisers.steps + 1):
        yield step, curve
        curve.end_step(step, optimisers.steps)
        if step % _CHECKPOINT_INTERVAL == 0 or step == optimisers.steps:
            save_checkpoint(checkpoint, model, optimisers, step)
            export(model, out)
