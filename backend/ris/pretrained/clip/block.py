"""One transformer block of an open_clip ViT, computed faster than by the block itself, with equal results.

The differences: one product for queries, keys and values; the activation in place; only the rows that are
needed; after `pack_block`, the products by the fastest way on this machine.
"""

from collections.abc import Callable
from functools import partial

import torch
from open_clip.transformer import QuickGELU, ResidualAttentionBlock
from torch import nn
from torch.nn import functional

from ris.errors import WeightsError
from ris.pretrained.linear_ops import pack_layers
from ris.pretrained.linear_speed import LinearSpeeds

_QUICK_GELU_FACTOR = 1.702  # QuickGELU is x * sigmoid(1.702 x)


def check_block(block: nn.Module) -> None:
    """Check that `run_block` can compute a block.

    Raises:
        WeightsError: the block has another structure or activation.
    """
    if not isinstance(block, ResidualAttentionBlock) or not isinstance(block.mlp.gelu, nn.GELU | QuickGELU):
        raise WeightsError(f"CLIP must have plain transformer blocks with GELU, got {type(block).__name__}")


def pack_block(block: ResidualAttentionBlock, speeds: LinearSpeeds, *, is_class_only: bool = False) -> None:
    """Pack the weights of a block, in place. After that only `run_block` can compute it.

    Args:
        block: checked by `check_block`.
        speeds: of this machine.
        is_class_only: for a block that is computed for one row only, which needs one query.
    """
    attention = block.attn
    projections = _make_projections(attention, is_split=is_class_only)
    pack_layers([*projections, attention.out_proj, block.mlp.c_fc, block.mlp.c_proj], speeds)
    attention.projections = nn.ModuleList(projections)
    attention.in_proj_weight = attention.in_proj_bias = None


def _make_projections(attention: nn.MultiheadAttention, *, is_split: bool) -> list[nn.Linear]:
    """Make one layer of the projections, or two if split: the queries; keys and values."""
    weight, bias = attention.in_proj_weight, attention.in_proj_bias
    assert weight is not None and bias is not None  # plain self-attention, see `check_block`
    width = attention.embed_dim
    layers = []
    for rows in [slice(0, width), slice(width, None)] if is_split else [slice(None)]:
        layer = nn.Linear(width, len(weight[rows]), device="meta")  # its own weights are never made
        layer.weight = nn.Parameter(weight.detach()[rows], requires_grad=False)
        layer.bias = nn.Parameter(bias.detach()[rows], requires_grad=False)
        layers.append(layer)
    return layers


def run_block(
    block: ResidualAttentionBlock, tokens: torch.Tensor, *, n_rows: int, bias: torch.Tensor | None = None
) -> torch.Tensor:
    """Compute a block's output for the first `n_rows` tokens; they attend to all tokens.

    Args:
        block: the block, in float32 or bfloat16.
        tokens: float32 [B, L, W].
        n_rows: number of tokens to compute.
        bias: [B or 1, 1, n_rows or 1, L], added to the attention logits; None for none.

    Returns:
        float32 [B, n_rows, W].
    """
    own = tokens[:, :n_rows]
    own = own + block.ls_1(_attend(block.attn, apply_norm(block.ln_1, tokens), n_rows, bias))
    hidden = _activate(block.mlp.gelu, block.mlp.c_fc(apply_norm(block.ln_2, own)))
    output: torch.Tensor = own + block.ls_2(block.mlp.c_proj(hidden))
    return output


def apply_norm(layer: nn.LayerNorm, tokens: torch.Tensor) -> torch.Tensor:
    """Apply a layer norm in float32, since bfloat16 sums are inexact; the result has the weights' dtype."""
    normed = functional.layer_norm(
        tokens.float(), layer.normalized_shape, layer.weight.float(), layer.bias.float(), layer.eps
    )
    return normed.to(layer.weight.dtype)


def _attend(
    layer: nn.MultiheadAttention, rows: torch.Tensor, n_rows: int, bias: torch.Tensor | None
) -> torch.Tensor:
    queries, keys, values = (_split_heads(part, layer.num_heads) for part in _project(layer, rows, n_rows))
    mixed = functional.scaled_dot_product_attention(queries, keys, values, attn_mask=bias)
    output: torch.Tensor = layer.out_proj(mixed.transpose(1, 2).flatten(2))
    return output


def _project(layer: nn.MultiheadAttention, rows: torch.Tensor, n_rows: int) -> tuple[torch.Tensor, ...]:
    """Compute the queries [B, n_rows, W] of the first rows, and the keys and values [B, L, W] of all."""
    first, *others = _get_projections(layer, is_split=n_rows == 1)
    if others:
        keys_values = others[0](rows)
        return first(rows[:, :n_rows]), *keys_values.chunk(2, dim=-1)
    queries, keys, values = first(rows).chunk(3, dim=-1)
    return queries[:, :n_rows], keys, values


def _get_projections(
    layer: nn.MultiheadAttention, *, is_split: bool
) -> list[Callable[[torch.Tensor], torch.Tensor]]:
    """Return the projections of `pack_block`, or of the plain weights: one, or two if split."""
    if "projections" in layer._modules:
        return list(layer.get_submodule("projections").children())
    weight, bias, width = layer.in_proj_weight, layer.in_proj_bias, layer.embed_dim
    assert weight is not None and bias is not None  # plain self-attention, see `check_block`
    parts = [slice(0, width), slice(width, None)] if is_split else [slice(None)]
    return [partial(functional.linear, weight=weight[rows], bias=bias[rows]) for rows in parts]


def _split_heads(rows: torch.Tensor, n_heads: int) -> torch.Tensor:
    """Reshape [B, L, W] to [B, heads, L, W / heads]."""
    return rows.view(*rows.shape[:2], n_heads, -1).transpose(1, 2)


def _activate(layer: nn.Module, hidden: torch.Tensor) -> torch.Tensor:
    """Apply the activation, QuickGELU in place: x * sigmoid(a x) is silu(a x) / a."""
    if isinstance(layer, QuickGELU):
        return functional.silu(hidden.mul_(_QUICK_GELU_FACTOR), inplace=True).mul_(1 / _QUICK_GELU_FACTOR)
    activated: torch.Tensor = layer(hidden)
    return activated
