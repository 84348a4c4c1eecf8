"""SAM's mask decoder for many prompts on one image; what the prompts share is computed once.

The network is an unchanged `segment_anything.modeling.MaskDecoder`; only the forward pass is other code. The
library projects 4,096 image tokens for every prompt, so that seven tokens can attend to them. Here the
projection is applied to the seven tokens instead: q (W k) = (q W) k, and sum(a (W v)) = W sum(a v). Maps are
computed only for masks that are wanted, which the predicted IoU decides before.
"""

from dataclasses import dataclass

import torch
from segment_anything.modeling import MaskDecoder, Sam
from segment_anything.modeling.transformer import Attention, TwoWayAttentionBlock
from torch import Tensor
from torch.nn import functional

from ris.pretrained.linear_ops import fast_matmul


@dataclass(frozen=True, slots=True)
class SharedImageState:
    """State that all prompts on an image share: N = G G image tokens with C channels, heads of d channels.

    Attributes:
        keys: float [N, C], the image embedding plus the embedding for "no mask prompt".
        values: float [heads, N, d], values of the first layer, which no prompt has changed yet.
        read_keys: for each token-to-image attention, the part of the keys that is the same for all prompts,
            float [heads, d, N]: the whole keys in the first layer, then the part of the positions.
        write_queries: for each image-to-token attention, the same part of the queries.
    """

    keys: Tensor
    values: Tensor
    read_keys: tuple[Tensor, ...]
    write_queries: tuple[Tensor, ...]


def make_shared_state(model: Sam, embedding: Tensor) -> SharedImageState:
    """Compute the shared state of an image embedding, float [1, C, G, G]."""
    transformer = model.mask_decoder.transformer
    keys = (embedding[0].flatten(1).T + model.prompt_encoder.no_mask_embed.weight).contiguous()
    positions = model.prompt_encoder.get_dense_pe()[0].flatten(1).T.contiguous()
    shared = [keys + positions] + [positions] * len(
        transformer.layers
    )  # of the layers, and of the last attention
    reading = [layer.cross_attn_token_to_image for layer in transformer.layers]
    writing = [layer.cross_attn_image_to_token for layer in transformer.layers]
    return SharedImageState(
        keys,
        _split_heads(reading[0].v_proj(keys), reading[0]).contiguous(),
        tuple(
            _split_heads(look.k_proj(image), look).mT.contiguous()
            for image, look in zip(shared, [*reading, transformer.final_attn_token_to_image], strict=True)
        ),
        tuple(
            _split_heads(look.q_proj(image), look).mT.contiguous()
            for image, look in zip(shared, writing, strict=False)
        ),
    )


def run_transformer(decoder: MaskDecoder, state: SharedImageState, prompts: Tensor) -> tuple[Tensor, Tensor]:
    """Run the two-way transformer, as `TwoWayTransformer.forward` up to rounding.

    Args:
        decoder: the mask decoder.
        state: of `make_shared_state`.
        prompts: float [P, t, C], the points' embeddings.

    Returns:
        The tokens, float [P, T, C]: one for the IoU, one for each mask, those of the prompt; and the image
        tokens of each prompt, float [P, N, C].
    """
    own = torch.cat([decoder.iou_token.weight, decoder.mask_tokens.weight])
    points = torch.cat([own.expand(len(prompts), -1, -1), prompts], dim=1)
    tokens, keys = points, None
    transformer = decoder.transformer
    for layer, read, write in zip(transformer.layers, state.read_keys[:-1], state.write_queries, strict=True):
        tokens = _self_attention(layer, tokens, points)
        look = layer.cross_attn_token_to_image
        tokens = layer.norm2(tokens + _attend_to_image(look, tokens + points, state, read, keys))
        tokens = layer.norm3(tokens + layer.mlp(tokens))
        keys = _update_image_tokens(layer, tokens, points, state, write, keys)
    assert keys is not None
    look = transformer.final_attn_token_to_image
    tokens = tokens + _attend_to_image(look, tokens + points, state, state.read_keys[-1], keys)
    return transformer.norm_final_attn(tokens), keys


def predict_iou(decoder: MaskDecoder, tokens: Tensor) -> Tensor:
    """Predict the IoU of the multimask outputs: float [P, masks - 1]; the first, single mask has none."""
    scores: Tensor = decoder.iou_prediction_head(tokens[:, 0])[:, 1:]
    return scores


def compute_mask_logits(decoder: MaskDecoder, tokens: Tensor, keys: Tensor, wanted: Tensor) -> Tensor:
    """Compute the logits of the wanted masks, in the prompts' order.

    Args:
        decoder: the mask decoder.
        tokens: of `run_transformer`.
        keys: image tokens of `run_transformer`.
        wanted: bool [P, masks - 1].

    Returns:
        Float [M, 4 G, 4 G] for M wanted masks.
    """
    networks = list(decoder.output_hypernetworks_mlps)[1:]
    vectors = torch.stack([network(tokens[:, 2 + i]) for i, network in enumerate(networks)], dim=1)
    side = int(keys.shape[1] ** 0.5)
    maps = [keys.new_zeros(0, 4 * side, 4 * side)]
    for image, vector, some in zip(keys, vectors, wanted, strict=True):
        if some.any():
            logits = vector[some] @ _upscale(decoder, image).T
            # axes: row and column of the token, of the first 2 x 2 pixels in it, of the second 2 x 2 in those
            logits = logits.view(-1, side, side, 2, 2, 2, 2).permute(0, 1, 3, 5, 2, 4, 6)
            maps.append(logits.reshape(-1, 4 * side, 4 * side))
    return torch.cat(maps)


def _upscale(decoder: MaskDecoder, image: Tensor) -> Tensor:
    """Upscale each image token to 16 pixels: float [N, C] -> [16 N, C / 8]."""
    first, norm, activation, second, last_activation = decoder.output_upscaling
    pixels = _transposed_matmul(image, first)
    pixels = functional.layer_norm(pixels, pixels.shape[-1:], norm.weight, norm.bias, norm.eps)
    upscaled: Tensor = last_activation(_transposed_matmul(activation(pixels), second))
    return upscaled


def _transposed_matmul(pixels: Tensor, layer: torch.nn.ConvTranspose2d) -> Tensor:
    """Compute a transposed convolution of kernel 2 and stride 2 as a product: float [n, C] -> [4 n, O]."""
    weight = layer.weight.permute(2, 3, 1, 0).flatten(0, 2)
    bias = None if layer.bias is None else layer.bias.repeat(4)
    return fast_matmul(pixels, weight, bias).view(-1, layer.out_channels)


def _self_attention(layer: TwoWayAttentionBlock, tokens: Tensor, points: Tensor) -> Tensor:
    if layer.skip_first_layer_pe:
        first: Tensor = layer.norm1(layer.self_attn(q=tokens, k=tokens, v=tokens))
        return first
    positioned = tokens + points
    output: Tensor = layer.norm1(tokens + layer.self_attn(q=positioned, k=positioned, v=tokens))
    return output


def _attend_to_image(
    look: Attention, tokens: Tensor, state: SharedImageState, shared: Tensor, keys: Tensor | None
) -> Tensor:
    """Compute the attention of the tokens to the image: float [P, T, C]."""
    prompts, count, _ = tokens.shape
    queries = _split_heads(look.q_proj(tokens), look)
    attention = _attention_logits(queries, prompts, shared, look.k_proj, keys).softmax(-1)  # [P, heads T, N]
    if keys is None:
        values = _group_by_prompt(_group_by_prompt(attention, look.num_heads) @ state.values, prompts)
    else:
        weight = look.v_proj.weight.view(look.num_heads, -1, look.embedding_dim)
        values = (attention @ keys).view(prompts, look.num_heads, count, -1) @ weight.mT
        values = values + look.v_proj.bias.view(look.num_heads, 1, -1)
    values = values.view(prompts, look.num_heads, count, -1).transpose(1, 2)
    output: Tensor = look.out_proj(values.reshape(prompts, count, -1))
    return output


def _update_image_tokens(
    layer: TwoWayAttentionBlock,
    tokens: Tensor,
    points: Tensor,
    state: SharedImageState,
    shared: Tensor,
    keys: Tensor | None,
) -> Tensor:
    """Update the image tokens by their attention to the tokens: float [P, N, C], in place in `keys`."""
    look = layer.cross_attn_image_to_token
    prompts, count, _ = tokens.shape
    token_keys = _split_heads(look.k_proj(tokens + points), look)
    logits = _attention_logits(token_keys, prompts, shared, look.q_proj, keys)
    attention = logits.view(prompts, look.num_heads, count, -1).softmax(2).flatten(1, 2)
    values = look.v_proj(tokens).view(prompts, count, look.num_heads, -1).transpose(1, 2)
    weight = look.out_proj.weight.T.view(look.num_heads, -1, look.embedding_dim)
    # A head's attention sums to one, so its share of the output bias can be added to each value.
    updates = (values @ weight + look.out_proj.bias / look.num_heads).flatten(1, 2)
    keys = state.keys.repeat(prompts, 1, 1) if keys is None else keys
    keys.baddbmm_(attention.mT, updates)
    for image in keys:  # one at a time: a large temporary would cost more, in page faults
        image.copy_(layer.norm4(image))
    return keys


def _attention_logits(
    queries: Tensor, prompts: int, shared: Tensor, project: torch.nn.Linear, keys: Tensor | None
) -> Tensor:
    """Compute the attention logits between tokens and image tokens: float [P, heads T, N].

    Args:
        queries: float [heads, P T, d], the projected tokens.
        prompts: the number P of prompts.
        shared: float [heads, d, N], the projected image tokens as far as they are the same for all prompts,
            with the projection's bias.
        project: the projection of the image tokens.
        keys: float [P, N, C], the image tokens of each prompt; None in the first layer, which needs none.
    """
    heads, d, _ = shared.shape
    queries = queries / d**0.5
    logits = _group_by_prompt(queries @ shared, prompts)
    if keys is None:
        return logits
    absorbed = _group_by_prompt(queries @ project.weight.view(heads, d, -1), prompts)
    for prompt_logits, query, image in zip(logits, absorbed, keys, strict=True):
        prompt_logits += fast_matmul(image, query).T
    return logits


def _split_heads(rows: Tensor, attention: Attention) -> Tensor:
    """Reshape float [..., heads d] to [heads, all rows, d]."""
    return rows.reshape(-1, attention.num_heads, rows.shape[-1] // attention.num_heads).transpose(0, 1)


def _group_by_prompt(rows: Tensor, prompts: int) -> Tensor:
    """Reshape float [heads, P T, n] to [P, heads T, n]; and back, given the number of heads for `prompts`."""
    outer, _, length = rows.shape
    return rows.view(outer, prompts, -1, length).transpose(0, 1).reshape(prompts, -1, length)
