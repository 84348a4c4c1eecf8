"""SAM's image encoder without attention maps of 4,096 x 4,096: equal results in a third of the time.

The network is an unchanged `segment_anything.modeling.ImageEncoderViT`; only the forward pass is other code.
"""

import torch
from segment_anything.modeling import ImageEncoderViT
from segment_anything.modeling.common import LayerNorm2d
from segment_anything.modeling.image_encoder import Attention, Block, get_rel_pos
from torch import Tensor
from torch.nn import functional

from ris.pretrained.linear_ops import fast_matmul

_MAX_BIASES_PER_STEP = 1 << 21  # of positions: 8 MB
_MAX_LOGITS_PER_STEP = 1 << 19  # on a CPU: 2 MB, which are still in its cache when they are read


def encode_sam_image(encoder: ImageEncoderViT, image: Tensor) -> Tensor:
    """Compute `ImageEncoderViT.forward`, up to rounding.

    Args:
        encoder: the image encoder.
        image: float32 [1, 3, S, S], normalised and padded.

    Returns:
        Float32 [1, C, G, G] for G = S / patch.
    """
    projection = encoder.patch_embed.proj
    patches = projection(image)[0]
    side = patches.shape[-1]
    tokens = patches.flatten(1).T.contiguous()
    if encoder.pos_embed is not None:
        tokens += encoder.pos_embed.view(side * side, -1)
    for block in encoder.blocks:
        tokens = _apply_block(block, tokens, side)
    reduce, norm, smooth, last_norm = encoder.neck
    tokens = _apply_norm(fast_matmul(tokens, reduce.weight.flatten(1)), norm)
    pixels = smooth(tokens.view(1, side, side, -1).permute(0, 3, 1, 2))
    tokens = _apply_norm(pixels[0].permute(1, 2, 0).contiguous(), last_norm)
    return tokens.permute(2, 0, 1)[None].contiguous()


def _apply_norm(rows: Tensor, norm: LayerNorm2d) -> Tensor:
    """Apply the library's LayerNorm2d with the channels last, as one function of PyTorch."""
    return functional.layer_norm(rows, rows.shape[-1:], norm.weight, norm.bias, norm.eps)


def _apply_block(block: Block, tokens: Tensor, side: int) -> Tensor:
    """Run a block on float [G G, D], in place, and return the tokens."""
    qkv = block.attn.qkv(block.norm1(tokens))
    if block.window_size:
        attended = _attend_in_windows(block.attn, qkv, side, block.window_size)
    else:
        attended = _attend_globally(block.attn, qkv.view(side * side, 3, block.attn.num_heads, -1), side)
    tokens += block.attn.proj(attended)
    hidden = block.mlp.act(block.mlp.lin1(block.norm2(tokens)))
    tokens += block.mlp.lin2(hidden)
    return tokens


def _attend_globally(attention: Attention, qkv: Tensor, side: int) -> Tensor:
    """Compute global attention: float [G G, 3, heads, d] -> [G G, heads d].

    It computes a few rows of the image for one head at a time: their position biases fit into the cache.
    """
    q, k, v = qkv.permute(1, 2, 0, 3)[:, None]
    if not attention.use_rel_pos:
        attended = functional.scaled_dot_product_attention(q, k, v)
        return attended[0].transpose(0, 1).flatten(1)
    across, down = _compute_position_biases(attention, q[0].unflatten(1, (side, side)), side)
    if q.device.type == "cpu":
        return _attend_by_products(q[0], k[0], v[0], across, down)
    step = min(side, max(1, _MAX_BIASES_PER_STEP // side**3))
    biases = torch.empty(step, side, side, side, device=q.device, dtype=q.dtype)
    attended = torch.empty(side * side, attention.num_heads, q.shape[-1], device=q.device, dtype=q.dtype)
    for head in range(attention.num_heads):
        one = slice(head, head + 1)
        for row in range(0, side, step):
            rows, some = slice(row, row + step), slice(row * side, (row + step) * side)
            bias = biases[: side - row]
            torch.add(down[head, rows, :, :, None], across[head, rows, :, None, :], out=bias)
            attended[some, head] = functional.scaled_dot_product_attention(
                q[:, one, some], k[:, one], v[:, one], attn_mask=bias.view(-1, side * side)
            )[0, 0]
    return attended.flatten(1)


def _attend_by_products(q: Tensor, k: Tensor, v: Tensor, across: Tensor, down: Tensor) -> Tensor:
    """Compute attention with position biases on a CPU, as two products by their fastest way.

    PyTorch's own attention multiplies by MKL there, which is half as fast on AMD's processors with AVX-512.

    Args:
        q: float [heads, G G, d].
        k: the same.
        v: the same.
        across: of `_compute_position_biases`.
        down: the other.

    Returns:
        Float [G G, heads d].
    """
    heads, count, width = q.shape
    side = across.shape[-1]
    step = min(side, max(1, _MAX_LOGITS_PER_STEP // side**3))
    attended = q.new_empty(count, heads, width)
    for head in range(heads):
        queries, keys, values = q[head] / width**0.5, k[head].contiguous(), v[head].T.contiguous()
        for row in range(0, side, step):
            rows, some = slice(row, row + step), slice(row * side, (row + step) * side)
            logits = fast_matmul(queries[some], keys)
            biased = logits.view(-1, side, side, side)
            biased += down[head, rows, :, :, None]
            biased += across[head, rows, :, None, :]
            attended[some, head] = fast_matmul(logits.softmax(-1), values)
    return attended.flatten(1)


def _attend_in_windows(attention: Attention, qkv: Tensor, side: int, window: int) -> Tensor:
    """Compute attention within windows of the image: float [G G, 3 heads d] -> [G G, heads d].

    Windows at the edge are padded. The library pads with zeros before the qkv projection; after it, the
    padding is the projection's bias.
    """
    count = -(-side // window)
    padded = qkv.new_empty(count * window, count * window, qkv.shape[-1])
    padded[:] = 0 if attention.qkv.bias is None else attention.qkv.bias
    padded[:side, :side] = qkv.view(side, side, -1)
    parts = padded.view(count, window, count, window, 3, attention.num_heads, -1)
    # 3, windows down and across, heads, pixels down and across, d
    q, k, v = parts.permute(4, 0, 2, 5, 1, 3, 6).reshape(3, count**2, attention.num_heads, window**2, -1)
    bias = None
    if attention.use_rel_pos:
        across, down = _compute_position_biases(attention, q.reshape(-1, window, window, q.shape[-1]), window)
        bias = (down[..., :, None] + across[..., None, :]).view(*q.shape[:3], window**2)
    attended = functional.scaled_dot_product_attention(q, k, v, attn_mask=bias)
    attended = attended.view(count, count, attention.num_heads, window, window, -1).permute(0, 3, 1, 4, 2, 5)
    return attended.reshape(count * window, count * window, -1)[:side, :side].reshape(side * side, -1)


def _compute_position_biases(attention: Attention, q: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """Compute the two parts of the relative position bias (MViTv2, eq. 5).

    Args:
        attention: has the position embeddings.
        side: side of the image or window, in tokens.
        q: float [B, side, side, d], not scaled.

    Returns:
        Across and down, each float [B, side, side, side]: bias of the query at (y, x) for keys in column k,
        and in row k.
    """
    across = get_rel_pos(side, side, attention.rel_pos_w)
    down = get_rel_pos(side, side, attention.rel_pos_h)
    return (
        torch.einsum("byxd,xkd->byxk", q, across).contiguous(),
        torch.einsum("byxd,ykd->byxk", q, down).contiguous(),
    )
