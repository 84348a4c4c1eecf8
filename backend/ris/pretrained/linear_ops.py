"""Matrix products with a layer's weights, on the fastest road that PyTorch has there.

On a CPU a product is written as a 1 x 1 convolution of pixels, channels last: the same sums through oneDNN
instead of MKL, which uses but half of the vector width of AMD's processors. There that is twice the speed.
A convolution lays out its kernels anew in every call, so of rows and weights the fewer are the kernels.
"""

from typing import TypeVar

import torch
from torch import Tensor
from torch.nn import functional

Network = TypeVar("Network", bound=torch.nn.Module)
_N_PARTS = 16  # from so many pictures on PyTorch gives 1 x 1 convolutions to oneDNN, whatever the threads
_MIN_PIXEL_ROWS = 512  # rows


def fast_matmul(rows: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """`rows @ weight.T + bias`.

    Args:
        rows: float [..., K], contiguous.
        weight: float [O, K].
        bias: float [O].

    Returns:
        Float [..., O], contiguous.
    """
    flat = rows.reshape(-1, rows.shape[-1])
    count = len(flat)
    if (
        rows.device.type != "cpu"
        or {rows.dtype, weight.dtype} != {torch.float32}
        or rows.requires_grad  # the way back through a kernel is a slow one
        or not count
        or len(weight) % _N_PARTS
    ):
        return functional.linear(rows, weight, bias)
    if count % _N_PARTS:
        flat = functional.pad(flat, (0, 0, 0, -count % _N_PARTS))
    if count < _MIN_PIXEL_ROWS:
        made = _convolve(weight, flat)[:, :count].T.contiguous()
        made = made if bias is None else made.add_(bias)
    else:
        made = _convolve(flat, weight, bias)[:count]
    return made.view(*rows.shape[:-1], len(weight))


def _convolve(pixels: Tensor, kernels: Tensor, bias: Tensor | None = None) -> Tensor:
    """float [n, K] and [o, K] -> [n, o], n a multiple of `_N_PARTS`."""
    picture = pixels.view(_N_PARTS, 1, -1, pixels.shape[1]).permute(0, 3, 1, 2)
    made = functional.conv2d(picture, kernels[:, :, None, None], bias).permute(0, 2, 3, 1)
    return made.reshape(-1, len(kernels))


def fast_linear(rows: Tensor, layer: torch.nn.Linear) -> Tensor:
    """What a linear layer makes of float [..., K]."""
    return fast_matmul(rows, layer.weight, layer.bias)


class FastLinear(torch.nn.Linear):
    """A linear layer that takes this road."""

    def forward(self, rows: Tensor) -> Tensor:
        return fast_linear(rows, self)


def use_fast_linear(network: Network) -> Network:
    """The same network, each of its plain linear layers now a `FastLinear`."""
    for module in network.modules():
        if type(module) is torch.nn.Linear:
            module.__class__ = FastLinear
    return network
