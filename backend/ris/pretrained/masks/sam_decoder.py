"""SAM's mask decoder for many prompts on one image: what they share is computed once.

The network is `segment_anything.modeling.MaskDecoder`, untouched; this is another way through its weights.
Its transformer projects 4,096 image tokens for every prompt, for seven tokens to look at. Here the projection
is applied to the seven: q (W k) = (q W) k, and the sum of a (W v) is W (the sum of a v). Maps are made of the
masks that are wanted alone, which the predicted IoU can say before.
"""

from dataclasses import dataclass

import torch
from segment_anything.modeling import MaskDecoder, Sam
from segment_anything.modeling.transformer import Attention, TwoWayAttentionBlock
from torch import Tensor
from torch.nn import functional

from ris.pretrained.linear_ops import fast_linear, fast_matmul


@dataclass(frozen=True, slots=True)
class SharedImageState:
    """What all prompts on an image share: N = G G image tokens of C channels, seen by heads of d.

    Attributes:
        keys: float [N, C], the embedding, with what it says where no mask was given.
        values: float [heads, N, d], of the first layer, where the keys are still these.
        read_keys: for every time that tokens look at the image, the part of its keys that no prompt changes, float
            [heads, d, N]: all of them in the first layer, then what comes from the positions.
        write_queries: the same of its queries, for every time that the image looks at tokens.
    """

    keys: Tensor
    values: Tensor
    read_keys: tuple[Tensor, ...]
    write_queries: tuple[Tensor, ...]


def make_shared_state(model: Sam, embedding: Tensor) -> SharedImageState:
    """The shared part for an image's embedding, float [1, C, G, G]."""
    transformer = model.mask_decoder.transformer
    keys = (embedding[0].flatten(1).T + model.prompt_encoder.no_mask_embed.weight).contiguous()
    places = model.prompt_encoder.get_dense_pe()[0].flatten(1).T.contiguous()
    seen = [keys + places] + [places] * len(transformer.layers)  # by the layers, and by the last look
    reading = [layer.cross_attn_token_to_image for layer in transformer.layers]
    writing = [layer.cross_attn_image_to_token for layer in transformer.layers]
    return SharedImageState(
        keys,
        _split_heads(fast_linear(keys, reading[0].v_proj), reading[0]).contiguous(),
        tuple(
            _split_heads(fast_linear(image, look.k_proj), look).mT.contiguous()
            for image, look in zip(seen, [*reading, transformer.final_attn_token_to_image], strict=True)
        ),
        tuple(
            _split_heads(fast_linear(image, look.q_proj), look).mT.contiguous()
            for image, look in zip(seen, writing, strict=False)
        ),
    )


def run_transformer(decoder: MaskDecoder, state: SharedImageState, prompts: Tensor) -> tuple[Tensor, Tensor]:
    """The two-way transformer, as `TwoWayTransformer.forward` up to rounding.

    Args:
        prompts: float [P, t, C], the points' embeddings.

    Returns:
        The tokens, float [P, T, C]: of the IoU, of each mask, of the prompt. And the image's tokens as each
        prompt leaves them, float [P, N, C].
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
    """Of the masks for one meaning each, without the one for all of them: float [P, masks - 1]."""
    scores: Tensor = decoder.iou_prediction_head(tokens[:, 0])[:, 1:]
    return scores


def compute_mask_logits(decoder: MaskDecoder, tokens: Tensor, keys: Tensor, wanted: Tensor) -> Tensor:
    """The maps of the masks that are wanted, in the prompts' order.

    Args:
        tokens, keys: of `run_transformer`.
        wanted: bool [P, masks - 1].

    Returns:
        Float [M, 4 G, 4 G] for M masks that are wanted.
    """
    networks = list(decoder.output_hypernetworks_mlps)[1:]
    vectors = torch.stack([network(tokens[:, 2 + i]) for i, network in enumerate(networks)], dim=1)
    side = int(keys.shape[1] ** 0.5)
    maps = [keys.new_zeros(0, 4 * side, 4 * side)]
    for image, vector, some in zip(keys, vectors, wanted, strict=True):
        if some.any():
            logits = vector[some] @ _upscale(decoder, image).T
            # by token, by pixel in it, by pixel in that: of each the row, then the column
            logits = logits.view(-1, side, side, 2, 2, 2, 2).permute(0, 1, 3, 5, 2, 4, 6)
            maps.append(logits.reshape(-1, 4 * side, 4 * side))
    return torch.cat(maps)


def _upscale(decoder: MaskDecoder, image: Tensor) -> Tensor:
    """Image tokens as the 16 pixels of each, which the maps are read from: float [N, C] -> [16 N, C / 8]."""
    first, norm, activation, second, last_activation = decoder.output_upscaling
    pixels = _transposed_matmul(image, first)
    pixels = functional.layer_norm(pixels, pixels.shape[-1:], norm.weight, norm.bias, norm.eps)
    made: Tensor = last_activation(_transposed_matmul(activation(pixels), second))
    return made


def _transposed_matmul(pixels: Tensor, layer: torch.nn.ConvTranspose2d) -> Tensor:
    """A transposed convolution whose 2 x 2 squares do not overlap is a product: float [n, C] -> [4 n, O]."""
    weight = layer.weight.permute(2, 3, 1, 0).flatten(0, 2)
    bias = None if layer.bias is None else layer.bias.repeat(4)
    return fast_matmul(pixels, weight, bias).view(-1, layer.out_channels)


def _self_attention(layer: TwoWayAttentionBlock, tokens: Tensor, points: Tensor) -> Tensor:
    if layer.skip_first_layer_pe:
        first: Tensor = layer.norm1(layer.self_attn(q=tokens, k=tokens, v=tokens))
        return first
    placed = tokens + points
    made: Tensor = layer.norm1(tokens + layer.self_attn(q=placed, k=placed, v=tokens))
    return made


def _attend_to_image(
    look: Attention, tokens: Tensor, state: SharedImageState, shared: Tensor, keys: Tensor | None
) -> Tensor:
    """What the tokens take from the image: float [P, T, C]."""
    prompts, count, _ = tokens.shape
    queries = _split_heads(fast_linear(tokens, look.q_proj), look)
    attention = _attention_logits(queries, prompts, shared, look.k_proj, keys).softmax(-1)  # [P, heads T, N]
    if keys is None:
        values = _group_by_prompt(_group_by_prompt(attention, look.num_heads) @ state.values, prompts)
    else:
        weight = look.v_proj.weight.view(look.num_heads, -1, look.embedding_dim)
        values = (attention @ keys).view(prompts, look.num_heads, count, -1) @ weight.mT
        values = values + look.v_proj.bias.view(look.num_heads, 1, -1)
    values = values.view(prompts, look.num_heads, count, -1).transpose(1, 2)
    return fast_linear(values.reshape(prompts, count, -1), look.out_proj)


def _update_image_tokens(
    layer: TwoWayAttentionBlock,
    tokens: Tensor,
    points: Tensor,
    state: SharedImageState,
    shared: Tensor,
    keys: Tensor | None,
) -> Tensor:
    """The image's tokens when they have taken from the others: float [P, N, C], in `keys` where there are."""
    look = layer.cross_attn_image_to_token
    prompts, count, _ = tokens.shape
    asked = _split_heads(fast_linear(tokens + points, look.k_proj), look)
    logits = _attention_logits(asked, prompts, shared, look.q_proj, keys)
    attention = logits.view(prompts, look.num_heads, count, -1).softmax(2).flatten(1, 2)
    values = fast_linear(tokens, look.v_proj).view(prompts, count, look.num_heads, -1).transpose(1, 2)
    weight = look.out_proj.weight.T.view(look.num_heads, -1, look.embedding_dim)
    # What a head pays attention to adds up to one: its share of the bias can go to each of the values.
    told = (values @ weight + look.out_proj.bias / look.num_heads).flatten(1, 2)
    keys = state.keys.repeat(prompts, 1, 1) if keys is None else keys
    keys.baddbmm_(attention.mT, told)
    for image in keys:  # not all at once: the system gives out large memory page by page, slower than this
        image.copy_(layer.norm4(image))
    return keys


def _attention_logits(
    queries: Tensor, prompts: int, shared: Tensor, project: torch.nn.Linear, keys: Tensor | None
) -> Tensor:
    """What tokens and image say to each other, before the softmax of either: float [P, heads T, N].

    Args:
        queries: float [heads, P T, d], the tokens' side.
        shared: float [heads, d, N], the image's side as far as no prompt changes it, with its bias.
        project: the image's projection.
        keys: float [P, N, C], what the prompts made of the image; None while it is `shared` alone.
    """
    heads, d, _ = shared.shape
    queries = queries / d**0.5
    logits = _group_by_prompt(queries @ shared, prompts)
    if keys is None:
        return logits
    absorbed = _group_by_prompt(queries @ project.weight.view(heads, d, -1), prompts)
    for said, question, image in zip(logits, absorbed, keys, strict=True):
        said += fast_matmul(image, question).T
    return logits


def _split_heads(rows: Tensor, attention: Attention) -> Tensor:
    """float [..., heads d] -> [heads, all rows, d]."""
    return rows.reshape(-1, attention.num_heads, rows.shape[-1] // attention.num_heads).transpose(0, 1)


def _group_by_prompt(rows: Tensor, prompts: int) -> Tensor:
    """float [heads, P T, n] -> [P, heads T, n]; the other way round with the number of heads."""
    outer, _, length = rows.shape
    return rows.view(outer, prompts, -1, length).transpose(0, 1).reshape(prompts, -1, length)
