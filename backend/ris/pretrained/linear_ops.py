"""Linear layers by the fastest kernel that PyTorch has for them.

On a CPU, the product is computed as a 1 x 1 convolution with channels last. PyTorch gives that to oneDNN
instead of MKL, which uses only half of the vector width of AMD's processors: there oneDNN is twice as fast.
A convolution reorders its kernels in every call, so the smaller of the two matrices becomes the kernels.
"""

from typing import TypeVar

import torch
from torch import Tensor
from torch.nn import functional

Network = TypeVar("Network", bound=torch.nn.Module)
_N_PARTS = 16  # batch size from which PyTorch gives 1 x 1 convolutions to oneDNN, for any number of threads
_MIN_PIXEL_ROWS = 512  # with fewer rows, the rows are the kernels and the weights the pixels


def fast_matmul(rows: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Compute `rows @ weight.T + bias`.

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
        or rows.requires_grad  # the backward pass of the convolution is slow
        or not count
        or len(weight) % _N_PARTS
    ):
        return functional.linear(rows, weight, bias)
    if count % _N_PARTS:
        flat = functional.pad(flat, (0, 0, 0, -count % _N_PARTS))
    if count < _MIN_PIXEL_ROWS:
        product = _convolve(weight, flat)[:, :count].T.contiguous()
        product = product if bias is None else product.add_(bias)
    else:
        product = _convolve(flat, weight, bias)[:count]
    return product.view(*rows.shape[:-1], len(weight))


def _convolve(pixels: Tensor, kernels: Tensor, bias: Tensor | None = None) -> Tensor:
    """Multiply float [n, K] by [o, K] to [n, o]; n is a multiple of `_N_PARTS`."""
    images = pixels.view(_N_PARTS, 1, -1, pixels.shape[1]).permute(0, 3, 1, 2)
    product = functional.conv2d(images, kernels[:, :, None, None], bias).permute(0, 2, 3, 1)
    return product.reshape(-1, len(kernels))


def fast_linear(rows: Tensor, layer: torch.nn.Linear) -> Tensor:
    """Apply a linear layer to float [..., K]: float [..., O]."""
    return fast_matmul(rows, layer.weight, layer.bias)


class FastLinear(torch.nn.Linear):
    """A linear layer that is computed by `fast_linear`."""

    def forward(self, rows: Tensor) -> Tensor:
        """Apply the layer to float [..., K]: float [..., O]."""
        return fast_linear(rows, self)


def use_fast_linear(network: Network) -> Network:
    """Turn the plain linear layers of a network into `FastLinear`, in place, and return the network."""
    for module in network.modules():
        if type(module) is torch.nn.Linear:
            module.__class__ = FastLinear
    return network
