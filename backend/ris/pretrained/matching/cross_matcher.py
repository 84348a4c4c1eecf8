"""Image-text matching with cross-attention: where the words look, and how that moves the answer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from ris.errors import WeightsError
from ris.pretrained.device import Precision, convert_to_bf16
from ris.referring.protocols import AttentionMaps

_MASKED_LOGIT = -10_000.0  # added to a logit that must get no attention: exactly 0 after the softmax
_MATCH_INDEX = 1  # the head's "these belong together"


@dataclass(frozen=True, slots=True, eq=False)
class MatchingParts:
    """A matching network taken apart: what `CrossMatcher` joins again.

    Attributes:
        network: the whole of it, a `torch.nn.Module` that holds all other parts.
        see: its image side, float32 [B, 3, S, S] -> [B, 1 + P, V], the class token first.
        embed: token ids [T, L] -> [T, L, W].
        layers: of its text side, as BERT has them; those that look at the image have a `crossattention`.
        head: [T, W] of the text's class token -> logits [T, 2].
        input_size, grid_size: as `referring.protocols.Matcher` has them.
        n_heads: of every layer.
        max_tokens: so many positions the text side has.
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
    """A network of the family of ALBEF and BLIP as `referring.protocols.Matcher`.

    The image side runs once an image, and so do the keys and values of every cross-attention; of the text
    side only what lies above the chosen layer's attention is differentiated. The layers are the library's,
    their order is written out here.

    Args:
        parts: of the network, on the device where they shall run.
        tokenizer: its own; must be a fast one, because the characters of each piece are asked for.
        layer: 0-based, whose cross-attention is read; in the last one only the class token has a gradient.
        precision: "bf16" changes the network: its products are computed in bfloat16 from now on, on both
            sides; norms, attention probabilities, their gradient and what leaves stay float32.

    Raises:
        WeightsError: there is no such layer, or it does not look at the image.
    """

    def __init__(
        self, parts: MatchingParts, tokenizer: Any, *, layer: int, precision: Precision = "fp32"
    ) -> None:
        n_layers = len(parts.layers)
        self.cross_attention_layers = [
            i for i in range(n_layers) if hasattr(parts.layers[i], "crossattention")
        ]
        if not 0 <= layer < n_layers:
            raise WeightsError(f"the matching network has {n_layers} text layers, there is none of {layer}")
        if layer not in self.cross_attention_layers:
            raise WeightsError(
                f"text layer {layer} of the matching network does not look at the image; "
                f"layers {self.cross_attention_layers[0]} to {self.cross_attention_layers[-1]} do"
            )
        parts.network.eval().requires_grad_(False)
        if precision == "bf16":
            convert_to_bf16(parts.network, except_for=[parts.head])
        self.parts, self.tokenizer, self.layer, self.precision = parts, tokenizer, layer, precision
        self.input_size, self.grid_size = parts.input_size, parts.grid_size

    @property
    def _device(self) -> torch.device:
        return torch.device(next(self.parts.network.parameters()).device)

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self._device.type, torch.bfloat16, enabled=self.precision == "bf16")

    @torch.inference_mode()
    def encode_picture(self, picture: NDArray[np.float32]) -> NDArray[np.float32]:
        """Normalised float32 [3, S, S] -> keys and values, float32 [C, 2, heads, 1 + P, W / heads].

        C is the number of layers that look at the image.
        """
        pixels = torch.as_tensor(picture, device=self._device)[None]
        kept = []
        with self._autocast():
            states = self.parts.see(pixels)
            for i in self.cross_attention_layers:
                attention = self.parts.layers[i].crossattention.self
                kept.append([self._split_heads(part(states))[0] for part in (attention.key, attention.value)])
        return _to_array(torch.stack([torch.stack(pair) for pair in kept]))

    def find_token_spans(self, texts: Sequence[str]) -> list[list[tuple[int, int]]]:
        """As the protocol has it; what is too long is cut."""
        coded = self.tokenizer(
            list(texts), truncation=True, max_length=self.parts.max_tokens, return_offsets_mapping=True
        )
        return [[(int(a), int(b)) for a, b in spans] for spans in coded["offset_mapping"]]

    def attend(
        self, encoded: NDArray[np.float32], texts: Sequence[str], kept: NDArray[np.bool_]
    ) -> AttentionMaps:
        """As the protocol has it. Needs gradients, so it must not be called in inference mode."""
        coded = self.tokenizer(
            list(texts), padding=True, truncation=True, max_length=self.parts.max_tokens, return_tensors="pt"
        ).to(self._device)
        is_text = coded["attention_mask"]
        looks = _ImageContext.from_encoded(
            encoded, kept, self.cross_attention_layers, self._device, self.precision
        )
        text_bias = torch.where(is_text == 1, 0.0, _MASKED_LOGIT)[:, None, None]
        layers = self.parts.layers
        with torch.no_grad(), self._autocast():
            hidden = self.parts.embed(coded["input_ids"])
            for i in range(self.layer):
                hidden = self._run_layer(i, hidden, text_bias, looks)
            hidden = layers[self.layer].attention(hidden, attention_mask=text_bias)[0]
            attention = self._compute_attention(self.layer, hidden, looks)
        attention = attention.requires_grad_(True)
        with torch.enable_grad(), self._autocast():
            hidden = self._run_rest_of_layer(self.layer, hidden, attention, looks)
            for i in range(self.layer + 1, len(layers)):
                hidden = self._run_layer(i, hidden, text_bias, looks)
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
        """[B, L, W] -> [B, heads, L, W / heads]."""
        return states.view(*states.shape[:2], self.parts.n_heads, -1).transpose(1, 2)

    def _run_layer(
        self, i: int, hidden: torch.Tensor, text_bias: torch.Tensor, looks: "_ImageContext"
    ) -> torch.Tensor:
        """A whole layer: the words look at each other, then at the image if this layer does that."""
        hidden = self.parts.layers[i].attention(hidden, attention_mask=text_bias)[0]
        if i in looks.keys:
            return self._run_rest_of_layer(i, hidden, self._compute_attention(i, hidden, looks), looks)
        after: torch.Tensor = self.parts.layers[i].feed_forward_chunk(hidden)
        return after

    def _compute_attention(self, i: int, hidden: torch.Tensor, looks: "_ImageContext") -> torch.Tensor:
        """Cross-attention probabilities, float32 [T, heads, L, 1 + P], before any dropout."""
        query = self._split_heads(self.parts.layers[i].crossattention.self.query(hidden))
        logits = (query @ looks.keys[i].transpose(-1, -2)).float() * query.shape[-1] ** -0.5 + looks.bias
        return torch.softmax(logits, -1)

    def _run_rest_of_layer(
        self, i: int, hidden: torch.Tensor, attention: torch.Tensor, looks: "_ImageContext"
    ) -> torch.Tensor:
        """What is made of the attention: the mixed values, and the rest of the layer."""
        layer = self.parts.layers[i]
        mixed = (attention @ looks.values[i]).transpose(1, 2).flatten(2)
        after: torch.Tensor = layer.feed_forward_chunk(layer.crossattention.output(mixed, hidden))
        return after


@dataclass(frozen=True, slots=True, eq=False)
class _ImageContext:
    """What the words can look at: keys and values by layer, and which patches are hidden from which text."""

    keys: dict[int, torch.Tensor]
    values: dict[int, torch.Tensor]
    bias: torch.Tensor

    @classmethod
    def from_encoded(
        cls,
        encoded: NDArray[np.float32],
        kept: NDArray[np.bool_],
        looking: Sequence[int],
        device: torch.device,
        precision: Precision,
    ) -> "_ImageContext":
        dtype = torch.bfloat16 if precision == "bf16" else torch.float32
        keys_values = torch.as_tensor(encoded, device=device).to(dtype)
        seen = np.concatenate([np.ones((len(kept), 1), np.bool_), kept], 1)
        bias = torch.where(torch.as_tensor(seen, device=device), 0.0, _MASKED_LOGIT)[:, None, None]
        keys, values = ({i: keys_values[n, part] for n, i in enumerate(looking)} for part in (0, 1))
        return cls(keys, values, bias)


def _to_array(tensor: torch.Tensor) -> NDArray[np.float32]:
    return np.asarray(tensor.float().cpu().numpy(), np.float32)
