"""Transformer blocks of open_clip written out as plain matrix products, for training on CPUs.

The arithmetic is that of the library's own modules (a test compares them). Two things make it worth
its lines: PyTorch's fused attention spends about half of a bfloat16 training step on a CPU in its
backward pass, and patches that are masked away need not be computed (`see_through_compact`).
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def run_plain_block(
    layer: nn.Module, tokens: Tensor, bias: Tensor | None = None, queries: int | None = None
) -> Tensor:
    """One residual attention block.

    Args:
        layer: open_clip's ResidualAttentionBlock.
        tokens: [B, L, W].
        bias: added to the attention logits, broadcast to [B, heads, queries, L].
        queries: only the first so many tokens are computed and returned; None computes all.
    """
    normal = layer.ln_1(tokens)
    attention = layer.attn
    width = tokens.shape[-1]
    weight, offset = attention.in_proj_weight, attention.in_proj_bias
    query = F.linear(normal[:, :queries], weight[:width], offset[:width])
    key, value = F.linear(normal, weight[width:], offset[width:]).chunk(2, -1)
    query, key, value = (_split_heads(t, attention.num_heads) for t in (query, key, value))
    logits = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)
    if bias is not None:
        logits = logits + bias.to(logits.dtype)
    mixed = (logits.softmax(-1) @ value).transpose(1, 2).flatten(2)
    tokens = tokens[:, :queries] + attention.out_proj(mixed)
    return tokens + layer.mlp(layer.ln_2(tokens))


def _split_heads(tokens: Tensor, n_heads: int) -> Tensor:
    return tokens.view(*tokens.shape[:2], n_heads, -1).transpose(1, 2)


def run_first_blocks(visual: nn.Module, pictures: Tensor, n_blocks: int) -> Tensor:
    """As `ris.pretrained.clip.vit.embed_pictures`."""
    tokens = visual._embeds(pictures)
    for layer in visual.transformer.resblocks[:n_blocks]:
        tokens = run_plain_block(layer, tokens)
    return tokens


def run_last_blocks(visual: nn.Module, tokens: Tensor, first_block: int) -> Tensor:
    """The plain rest of the network from `first_block` on: raw features [B, D]."""
    layers = visual.transformer.resblocks[first_block:]
    for i, layer in enumerate(layers):
        tokens = run_plain_block(layer, tokens, queries=1 if i == len(layers) - 1 else None)
    return visual.ln_post(tokens[:, 0]) @ visual.proj


def see_through_compact(
    visual: nn.Module,
    tokens: Tensor,
    picture: Tensor,
    grids: Tensor,
    first_block: int,
    *,
    zero_share: float = 1.0,
) -> Tensor:
    """As `ris.pretrained.clip.vit.see_through`, for masks of many pictures, without the zeroed patches.

    A patch that is multiplied by 0 is the same key and value wherever it lies, and nobody reads its
    row. So all of them together are one zero token whose logit gains log(how many).

    Args:
        tokens: [B, 1 + P, W], the pictures before `first_block`.
        picture: int [N], which picture each mask belongs to.
        grids: [N, P] in [0, 1].
        zero_share: counts so much of each zeroed patch; only 1 is the method. A training that starts
            near 0 hears the kept patches at once: ten of them among 130 zeros are a whisper.

    Returns:
        [N, D] raw features.
    """
    n_kept = (grids > 0).sum(1)
    longest = int(n_kept.max())
    order = (grids > 0).int().argsort(dim=1, descending=True, stable=True)[:, :longest]
    factors = torch.gather(grids, 1, order)
    ones, zeros = grids.new_ones(len(grids), 1), grids.new_zeros(len(grids), 1)
    factors = torch.cat([ones, factors, zeros], 1)[..., None]
    kept = tokens[picture[:, None], torch.cat([order.new_zeros(len(order), 1), order + 1], 1)]
    kept = torch.cat([kept, kept.new_zeros(len(kept), 1, kept.shape[-1])], 1)

    bias = torch.where(factors[..., 0] > 0, 0.0, -1e4)
    bias[:, -1] = torch.log(((grids.shape[1] - n_kept) * zero_share).clamp(min=1e-9))
    bias = bias[:, None, None]
    layers = visual.transformer.resblocks[first_block:]
    for i, layer in enumerate(layers):
        last = i == len(layers) - 1
        kept = run_plain_block(layer, kept * factors.to(kept.dtype), bias, queries=1 if last else None)
    return visual.ln_post(kept[:, 0]) @ visual.proj


def encode_text(model: nn.Module, ids: Tensor, end_id: int) -> Tensor:
    """open_clip's text side, cut at the longest end token of the batch (exact: attention is causal)."""
    ends = (ids == end_id).int().argmax(1)
    ids = ids[:, : int(ends.max()) + 1]
    tokens = model.token_embedding(ids) + model.positional_embedding[: ids.shape[1]]
    causal = torch.full((ids.shape[1],) * 2, -1e4, device=ids.device).triu(1)
    for layer in model.transformer.resblocks:
        tokens = run_plain_block(layer, tokens, causal)
    return model.ln_final(tokens)[torch.arange(len(ids)), ends] @ model.text_projection


def compute_learning_rate_factor(step: int, steps: int, *, warm: float = 0.03) -> float:
    """What the learning rate is multiplied by at a step."""
    done = step / steps
    return min(done / warm + 0.02, 1.0) * (0.5 + 0.5 * math.cos(math.pi * done)) + 0.003
