"""Linear layers by the way that is the fastest on this machine, of those that `linear_speed` has."""

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor
from torch.nn import functional

from ris.pretrained.linear_speed import LinearSpeeds, is_unpacked_faster, multiply_packed, pack_weight

_MAX_MEASURED_ROWS = 1024  # a larger product has the same rate


def fast_matmul(rows: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Compute `rows @ weight.T + bias` for a weight that is not known before.

    The first product of a shape measures the ways, with sizes rounded down to powers of two.

    Args:
        rows: float [..., K].
        weight: float [O, K].
        bias: float [O].

    Returns:
        Float [..., O], contiguous.
    """
    width = rows.shape[-1]
    if (
        rows.device.type == "cpu"
        and rows.dtype == weight.dtype == torch.float32
        and not rows.requires_grad
        and rows.numel()
        and is_unpacked_faster(
            min(_floor_power(rows.numel() // width), _MAX_MEASURED_ROWS),
            _floor_power(width),
            _floor_power(len(weight)),
            torch.get_num_threads(),
        )
    ):
        return multiply_packed(rows, weight.detach(), None if bias is None else bias.detach())
    return functional.linear(rows, weight, bias)


def _floor_power(number: int) -> int:
    """Return the greatest power of two that is not above a number from 1 on."""
    return 1 << (number.bit_length() - 1)


class FastLinear(torch.nn.Linear):
    """A linear layer that multiplies with a packed weight where that is faster. It learns nothing then.

    Attributes:
        packed: the packed weight; None before `pack_layers`, or if it is not faster.
        packed_from: the number of rows from which it is used. With 0, `weight` is empty.
    """

    packed: Tensor | None = None
    packed_from: int = 0

    def forward(self, rows: Tensor) -> Tensor:
        """Apply the layer to float [..., K]: float [..., O]."""
        packed = self.packed
        if packed is None or rows.requires_grad or rows.numel() < self.packed_from * rows.shape[-1]:
            return functional.linear(rows, self.weight, self.bias)
        return multiply_packed(rows.to(packed.dtype), packed, self.bias)


def find_linear_layers(network: torch.nn.Module) -> Iterator[torch.nn.Linear]:
    """Yield the plain linear layers of a network, without those that share a weight with another module."""
    owners: dict[int, int] = {}
    for _, parameter in network.named_parameters(remove_duplicate=False):
        owners[id(parameter)] = owners.get(id(parameter), 0) + 1
    for module in network.modules():
        if not isinstance(module, torch.nn.Linear) or type(module) not in (torch.nn.Linear, FastLinear):
            continue
        if owners[id(module.weight)] == 1:
            yield module


def pack_layers(
    layers: Iterable[torch.nn.Linear], speeds: LinearSpeeds, *, keeps_weights: bool = False
) -> None:
    """Pack the weights of linear layers, in place, where that is faster on this machine.

    A layer whose weight is packed for every number of rows loses the weight itself, which would take as much
    memory again. So this is for networks that are loaded for use, and its layers must be called, not read.

    Args:
        layers: their class becomes `FastLinear`.
        speeds: of this machine.
        keeps_weights: for code that reads `weight`.
    """
    for layer in layers:
        layer.requires_grad_(False)
        layer.__class__ = FastLinear
        assert isinstance(layer, FastLinear)
        weight = layer.weight
        if weight.device.type != "cpu" or weight.dtype not in (torch.float32, torch.bfloat16):
            continue
        packed_from = speeds.find_packed_from(layer.in_features, layer.out_features, weight.dtype)
        if packed_from is None:
            continue
        layer.packed, layer.packed_from = pack_weight(weight), packed_from
        if packed_from == 0 and not keeps_weights:
            layer.weight = torch.nn.Parameter(weight.new_empty(0), requires_grad=False)
