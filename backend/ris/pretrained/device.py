"""Devices, precision and threads of PyTorch."""

from collections.abc import Collection
from typing import Literal

import cv2
import torch

from ris.errors import SettingsError

Precision = Literal["fp32", "bf16"]


def check_device(name: str) -> None:
    """Check that PyTorch has a device.

    Args:
        name: as PyTorch names devices, such as "cpu" or "cuda:1".

    Raises:
        SettingsError: it does not; the message lists the devices that it has.
    """
    kind, _, number = name.partition(":")
    counts = {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available())}
    if int(number or 0) >= counts.get(kind, 0):
        present = ", ".join(f"{count} of {which}" for which, count in counts.items() if count)
        raise SettingsError(
            f"RIS_DEVICE is {name}, and PyTorch has only {present}; RIS_DEVICE=cpu always works"
        )


def convert_to_bf16(network: torch.nn.Module, *, except_for: Collection[torch.nn.Module] = ()) -> None:
    """Convert the weights of a network's linear layers to bfloat16, in place.

    Run the network under `torch.autocast`: PyTorch then multiplies matrices in bfloat16 and computes norms,
    softmaxes and sums in float32 where that matters. Without the conversion, autocast would convert the
    weights in every call, which takes as long as the products of a short text.

    Args:
        network: the network.
        except_for: layers that are not converted.
    """
    for module in network.modules():
        if isinstance(module, torch.nn.Linear) and module not in except_for:
            module.to(torch.bfloat16)


def use_threads(count: int) -> None:
    """Set the number of threads that PyTorch (in this thread) and OpenCV use.

    Small networks gain nothing from a second thread. They lose much when another program uses that core:
    each of their many short parallel steps then waits for a thread that is not running. On two cores beside a
    busy program, a task of the embedded preset took 17 s with two threads.
    """
    torch.set_num_threads(count)
    cv2.setNumThreads(count)
