"""Where networks run, and with how many threads."""

from collections.abc import Collection
from typing import Literal

import cv2
import torch

from ris.errors import SettingsError

Precision = Literal["fp32", "bf16"]


def check_device(name: str) -> None:
    """Whether PyTorch has that device.

    Raises:
        SettingsError: it has not; the message says what it has.
    """
    kind, _, number = name.partition(":")
    counts = {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available())}
    if int(number or 0) >= counts.get(kind, 0):
        there = ", ".join(f"{count} of {which}" for which, count in counts.items() if count)
        raise SettingsError(
            f"RIS_DEVICE is {name}, and PyTorch has only {there}; RIS_DEVICE=cpu always works"
        )


def convert_to_bf16(network: torch.nn.Module, *, but: Collection[torch.nn.Module] = ()) -> None:
    """Keep the weights of a network's linear layers in bfloat16 from now on.

    Run it under `torch.autocast`: PyTorch then computes the products in bfloat16 and keeps norms, softmaxes
    and sums where it thinks that safe. Without this, autocast would make the same bfloat16 weights anew in
    every call, which takes as long as the products of a short text.

    Args:
        but: layers that stay as they are.
    """
    for module in network.modules():
        if isinstance(module, torch.nn.Linear) and module not in but:
            module.to(torch.bfloat16)


def use_threads(count: int) -> None:
    """Let this thread's PyTorch, and OpenCV, use so many threads.

    Small networks gain nothing from a second one, and lose much by it when another program wants that core:
    each of their many short parallel steps then waits for a thread that is not running. Beside a busy
    neighbour on two cores a task of the embedded preset took 17 s with two threads.
    """
    torch.set_num_threads(count)
    cv2.setNumThreads(count)
