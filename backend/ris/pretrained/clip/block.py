"""One transformer block of an open_clip ViT, computed faster than by the block itself, with equal results.

The differences: one product for queries, keys and values; the activation in place; only the rows that are
needed; `ris.pretrained.linear_ops` for the products.
"""

import torch
from open_clip.transformer import QuickGELU, ResidualAttentionBlock
from torch import nn
from torch.nn import functional

from ris.errors import WeightsError
from ris.pretrained.linear_ops import fast_linear, fast_matmul

_QUICK_GELU_FACTOR = 1.702  # QuickGELU is x * sigmoid(1.702 x)


def check_block(block: nn.Module) -> None:
    """Check that `run_block` can compute a block.

    Raises:
        WeightsError: the block has another structure or activation.
    """
    if not isinstance(block, ResidualAttentionBlock) or not isinstance(block.mlp.gelu, nn.GELU | QuickGELU):
        raise WeightsError(f"CLIP must have plain transformer blocks with GELU, got {type(block).__name__}")


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
    hidden = _activate(block.mlp.gelu, fast_linear(apply_norm(block.ln_2, own), block.mlp.c_fc))
    output: torch.Tensor = own + block.ls_2(fast_linear(hidden, block.mlp.c_proj))
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
    count, length, width = rows.shape
    weight, offset = layer.in_proj_weight, layer.in_proj_bias
    assert weight is not None and offset is not None  # plain self-attention, see `check_block`

    def split_heads(flat: torch.Tensor, parts: int) -> torch.Tensor:
        """Reshape [B, L, parts * W] to [parts, B, heads, L, W / heads]."""
        return flat.view(count, -1, parts, layer.num_heads, width // layer.num_heads).permute(2, 0, 3, 1, 4)

    if n_rows == length:
        queries, keys, values = split_heads(fast_matmul(rows, weight, offset), 3)
    else:
        (queries,) = split_heads(
            fast_matmul(rows[:, :n_rows].contiguous(), weight[:width], offset[:width]), 1
        )
        keys, values = split_heads(fast_matmul(rows, weight[width:], offset[width:]), 2)
    mixed = functional.scaled_dot_product_attention(queries, keys, values, attn_mask=bias)
    return fast_linear(mixed.transpose(1, 2).reshape(count, n_rows, width), layer.out_proj)


def _activate(layer: nn.Module, hidden: torch.Tensor) -> torch.Tensor:
    """Apply the activation, QuickGELU in place: x * sigmoid(a x) is silu(a x) / a."""
    if isinstance(layer, QuickGELU):
        return functional.silu(hidden.mul_(_QUICK_GELU_FACTOR), inplace=True).mul_(1 / _QUICK_GELU_FACTOR)
    activated: torch.Tensor = layer(hidden)
    return activated
