"""Image-text matching: cross-attention maps, and the gradient of the match logit by them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from ris.errors import WeightsError
from ris.pretrained.device import Precision, convert_to_bf16
from ris.pretrained.linear_ops import find_linear_layers, pack_layers
from ris.pretrained.linear_speed import LinearSpeeds
from ris.referring.protocols import AttentionMaps

_MASKED_LOGIT = -10_000.0  # added to a logit whose attention must be exactly 0
_MATCH_INDEX = 1  # index of "image and text match" in the head's logits


@dataclass(frozen=True, slots=True, eq=False)
class MatchingParts:
    """The parts of a matching network that `CrossMatcher` calls.

    Attributes:
        network: the whole network, a `torch.nn.Module` with all other parts in it.
        see: the image encoder, float32 [B, 3, S, S] -> [B, 1 + P, V], the class token first.
        embed: the text embedding, token ids [T, L] -> [T, L, W].
        layers: BERT layers of the text encoder; those that attend to the image have a `crossattention`.
        head: [T, W] of the text's class token -> logits [T, 2].
        input_size, grid_size: as in `referring.protocols.Matcher`.
        n_heads: number of attention heads of every text layer.
        max_tokens: number of positions of the text encoder.
    """

    network: Any
    see: Callable[[torch.Tensor], torch.Tensor]
    embed: Callable[[torch.Tensor], torch.Tensor]
    layers: Sequence[Any]
    head: Any
    input_size: int
    grid_size: int
    n_heads: int
    max_tokens: int


class CrossMatcher:
    """A network like ALBEF or BLIP as `referring.protocols.Matcher`.

    The image encoder and the keys and values of every cross-attention run once per image. Only the part of
    the text encoder above the chosen layer's attention is differentiated. The layers are the library's; the
    order in which they run is written out here.

    Args:
        parts: parts of the network, on the device where they run.
        tokenizer: its tokenizer, a fast one, because character offsets of the tokens are needed.
        layer: text layer whose cross-attention is read, 0-based; in the last layer only the class token has a
            gradient.
        precision: "bf16" converts the network in place: image and text encoder then multiply in bfloat16;
            norms, attention probabilities, their gradient and all results stay float32.

    Raises:
        WeightsError: there is no such layer, or it has no cross-attention.
    """

    def __init__(
        self, parts: MatchingParts, tokenizer: Any, *, layer: int, precision: Precision = "fp32"
    ) -> None:
        n_layers = len(parts.layers)
        self.cross_attention_layers = [
            i for i in range(n_layers) if hasattr(parts.layers[i], "crossattention")
        ]
        if not 0 <= layer < n_layers:
            raise WeightsError(
                f"the matching network has {n_layers} text layers, got itm_layer = {layer}; set it to one of "
                f"{self.cross_attention_layers[0]} to {self.cross_attention_layers[-1]}"
            )
        if layer not in self.cross_attention_layers:
            raise WeightsError(
                f"text layer {layer} of the matching network has no cross-attention; set itm_layer to one of "
                f"{self.cross_attention_layers[0]} to {self.cross_attention_layers[-1]}"
            )
        parts.network.eval().requires_grad_(False)
        if precision == "bf16":
            convert_to_bf16(parts.network, except_for=[parts.head])
        self.parts, self.tokenizer, self.layer, self.precision = parts, tokenizer, layer, precision
        self.input_size, self.grid_size = parts.input_size, parts.grid_size

    def pack(self, speeds: LinearSpeeds) -> None:
        """Pack the weights, in place, where that is faster on this machine; not those of the head.

        The text layers that are differentiated need their weights. Only their keys and values of the image,
        which are computed once an image, are packed.
        """
        parts = self.parts
        kept = {parts.head}
        for i in range(self.layer, len(parts.layers)):
            kept |= set(parts.layers[i].modules())
            if i in self.cross_attention_layers:
                attention = parts.layers[i].crossattention.self
                kept -= {attention.key, attention.value}
        pack_layers((one for one in find_linear_layers(parts.network) if one not in kept), speeds)

    @property
    def _device(self) -> torch.device:
        return torch.device(next(self.parts.network.parameters()).device)

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self._device.type, torch.bfloat16, enabled=self.precision == "bf16")

    @torch.inference_mode()
    def encode_picture(self, picture: NDArray[np.float32]) -> NDArray[np.float32]:
        """Encode a normalised image float32 [3, S, S] as keys and values of the cross-attentions.

        Returns:
            float32 [C, 2, heads, 1 + P, W / heads], where C is the number of layers with cross-attention.
        """
        pixels = torch.as_tensor(picture, device=self._device)[None]
        keys_values = []
        with self._autocast():
            states = self.parts.see(pixels)
            for i in self.cross_attention_layers:
                attention = self.parts.layers[i].crossattention.self
                pair = [self._split_heads(part(states))[0] for part in (attention.key, attention.value)]
                keys_values.append(torch.stack(pair))
        return _to_array(torch.stack(keys_values))

    def find_token_spans(self, texts: Sequence[str]) -> list[list[tuple[int, int]]]:
        """Find the characters of each token, as in the protocol; long texts are cut."""
        coded = self.tokenizer(
            list(texts), truncation=True, max_length=self.parts.max_tokens, return_offsets_mapping=True
        )
        return [[(int(a), int(b)) for a, b in spans] for spans in coded["offset_mapping"]]

    def attend(
        self, encoded: NDArray[np.float32], texts: Sequence[str], kept: NDArray[np.bool_]
    ) -> AttentionMaps:
        """Compute attention maps and their gradients, as in the protocol. Not for use in inference mode."""
        coded = self.tokenizer(
            list(texts), padding=True, truncation=True, max_length=self.parts.max_tokens, return_tensors="pt"
        ).to(self._device)
        is_text = coded["attention_mask"]
        context = _ImageContext.from_encoded(
            encoded, kept, self.cross_attention_layers, self._device, self.precision
        )
        text_bias = torch.where(is_text == 1, 0.0, _MASKED_LOGIT)[:, None, None]
        layers = self.parts.layers
        with torch.no_grad(), self._autocast():
            hidden = self.parts.embed(coded["input_ids"])
            for i in range(self.layer):
                hidden = self._run_layer(i, hidden, text_bias, context)
            hidden = layers[self.layer].attention(hidden, attention_mask=text_bias)[0]
            attention = self._compute_attention(self.layer, hidden, context)
        attention = attention.requires_grad_(True)
        with torch.enable_grad(), self._autocast():
            hidden = self._run_rest_of_layer(self.layer, hidden, attention, context)
            for i in range(self.layer + 1, len(layers)):
                hidden = self._run_layer(i, hidden, text_bias, context)
        with torch.enable_grad():
            logits = self.parts.head(hidden[:, 0].float())
            (gradient,) = torch.autograd.grad(logits[:, _MATCH_INDEX].sum(), attention)
        rows = (is_text == 1)[:, None, :, None]
        return AttentionMaps(
            attention=_to_array((attention.detach() * rows)[..., 1:]),
            gradient=_to_array((gradient * rows)[..., 1:]),
            match=_to_array(F.softmax(logits.detach(), -1)[:, _MATCH_INDEX]),
        )

    def _split_heads(self, states: torch.Tensor) -> torch.Tensor:
        """Reshape [B, L, W] to [B, heads, L, W / heads]."""
        return states.view(*states.shape[:2], self.parts.n_heads, -1).transpose(1, 2)

    def _run_layer(
        self, i: int, hidden: torch.Tensor, text_bias: torch.Tensor, context: "_ImageContext"
    ) -> torch.Tensor:
        """Run a layer: self-attention, cross-attention where it has one, feed-forward."""
        hidden = self.parts.layers[i].attention(hidden, attention_mask=text_bias)[0]
        if i in context.keys:
            return self._run_rest_of_layer(i, hidden, self._compute_attention(i, hidden, context), context)
        output: torch.Tensor = self.parts.layers[i].feed_forward_chunk(hidden)
        return output

    def _compute_attention(self, i: int, hidden: torch.Tensor, context: "_ImageContext") -> torch.Tensor:
        """Compute cross-attention probabilities, float32 [T, heads, L, 1 + P], without dropout."""
        query = self._split_heads(self.parts.layers[i].crossattention.self.query(hidden))
        logits = (query @ context.keys[i].transpose(-1, -2)).float() * query.shape[-1] ** -0.5 + context.bias
        return torch.softmax(logits, -1)

    def _run_rest_of_layer(
        self, i: int, hidden: torch.Tensor, attention: torch.Tensor, context: "_ImageContext"
    ) -> torch.Tensor:
        """Run the rest of a layer, from its cross-attention probabilities on."""
        layer = self.parts.layers[i]
        mixed = (attention @ context.values[i]).transpose(1, 2).flatten(2)
        output: torch.Tensor = layer.feed_forward_chunk(layer.crossattention.output(mixed, hidden))
        return output


@dataclass(frozen=True, slots=True, eq=False)
class _ImageContext:
    """Keys and values of the image by text layer, and the attention bias that hides patches from texts.

    Attributes:
        keys, values: [heads, 1 + P, W / heads] by the index of the layer.
        bias: float32 [T, 1, 1, 1 + P].
    """

    keys: dict[int, torch.Tensor]
    values: dict[int, torch.Tensor]
    bias: torch.Tensor

    @classmethod
    def from_encoded(
        cls,
        encoded: NDArray[np.float32],
        kept: NDArray[np.bool_],
        layers: Sequence[int],
        device: torch.device,
        precision: Precision,
    ) -> "_ImageContext":
        dtype = torch.bfloat16 if precision == "bf16" else torch.float32
        keys_values = torch.as_tensor(encoded, device=device).to(dtype)
        seen = np.concatenate([np.ones((len(kept), 1), np.bool_), kept], 1)
        bias = torch.where(torch.as_tensor(seen, device=device), 0.0, _MASKED_LOGIT)[:, None, None]
        keys, values = ({i: keys_values[n, part] for n, i in enumerate(layers)} for part in (0, 1))
        return cls(keys, values, bias)


def _to_array(tensor: torch.Tensor) -> NDArray[np.float32]:
    return np.asarray(tensor.float().cpu().numpy(), np.float32)
