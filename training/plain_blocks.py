"""Transformer blocks of open_clip as plain matrix products, for training on CPUs.

The results equal those of the library's modules (a test compares them). There are two reasons for this code:
the backward pass of PyTorch's fused attention takes about half of a bfloat16 training step on a CPU, and
masked patches need not be computed (`see_through_compact`).
"""

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F


def run_plain_block(
    layer: Any, tokens: Tensor, bias: Tensor | None = None, queries: int | None = None
) -> Tensor:
    """Run a residual attention block.

    Args:
        layer: open_clip's ResidualAttentionBlock.
        tokens: [B, L, W].
        bias: added to the attention logits, broadcast to [B, heads, queries, L].
        queries: number of tokens, from the first, that are computed; None computes all.

    Returns:
        [B, queries, W].
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
    output: Tensor = tokens + layer.mlp(layer.ln_2(tokens))
    return output


def _split_heads(tokens: Tensor, n_heads: int) -> Tensor:
    return tokens.view(*tokens.shape[:2], n_heads, -1).transpose(1, 2)


def run_first_blocks(visual: Any, pictures: Tensor, n_blocks: int) -> Tensor:
    """Compute the residual stream after the first blocks, as `ris.pretrained.clip.vit.embed_pictures`."""
    tokens: Tensor = visual._embeds(pictures)
    for layer in visual.transformer.resblocks[:n_blocks]:
        tokens = run_plain_block(layer, tokens)
    return tokens


def run_last_blocks(visual: Any, tokens: Tensor, first_block: int) -> Tensor:
    """Run the blocks from `first_block` on without masks: unnormalised features [B, D]."""
    layers = visual.transformer.resblocks[first_block:]
    for i, layer in enumerate(layers):
        tokens = run_plain_block(layer, tokens, queries=1 if i == len(layers) - 1 else None)
    features: Tensor = visual.ln_post(tokens[:, 0]) @ visual.proj
    return features


def see_through_compact(
    visual: Any,
    tokens: Tensor,
    picture: Tensor,
    grids: Tensor,
    first_block: int,
    *,
    zero_share: float = 1.0,
) -> Tensor:
    """Run the masked blocks as `ris.pretrained.clip.vit.see_through`, for masks of many images.

    Patches with factor 0 have equal keys and values, and their outputs are not needed. One zero token stands
    for all of them; its logit gets the logarithm of their number added.

    Args:
        visual: the image encoder.
        tokens: [B, 1 + P, W], the images' residual streams before `first_block`.
        picture: int [N], index of each mask's image.
        grids: [N, P] in [0, 1], the factor of each patch.
        first_block: first masked block, 0-based.
        zero_share: weight of each zeroed patch; only 1 is the method. A training that starts near 0 learns
            faster, because ten kept patches among 130 zeroed ones have little weight in the attention.

    Returns:
        [N, D], unnormalised features.
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
    features: Tensor = visual.ln_post(kept[:, 0]) @ visual.proj
    return features


def encode_text(model: Any, ids: Tensor, end_id: int) -> Tensor:
    """Encode token ids [T, L] as unnormalised features [T, D]; tokens after the last end token are cut.

    That is exact, because the attention is causal.
    """
    ends = (ids == end_id).int().argmax(1)
    ids = ids[:, : int(ends.max()) + 1]
    tokens = model.token_embedding(ids) + model.positional_embedding[: ids.shape[1]]
    causal = torch.full((ids.shape[1],) * 2, -1e4, device=ids.device).triu(1)
    for layer in model.transformer.resblocks:
        tokens = run_plain_block(layer, tokens, causal)
    features: Tensor = model.ln_final(tokens)[torch.arange(len(ids)), ends] @ model.text_projection
    return features


def compute_learning_rate_factor(step: int, steps: int, *, warm: float = 0.03) -> float:
    """Compute the factor of the learning rate: linear warm-up, then cosine decay."""
    done = step / steps
    return min(done / warm + 0.02, 1.0) * (0.5 + 0.5 * math.cos(math.pi * done)) + 0.003
