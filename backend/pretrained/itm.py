"""BLIP's image-text matching through transformers: where the words look, and how that moves the answer."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F
from transformers import AutoTokenizer, BlipForImageTextRetrieval

from backend.errors import WeightsError
from backend.pretrained.device import Precision, in_bf16
from backend.pretrained.weights import complete
from backend.referring.protocols import Attended

HIDDEN = -10_000.0  # added to a logit that must get no attention: exactly 0 after the softmax
MATCH = 1  # the head's "these belong together"


class BlipMatcher:
    """A `BlipForImageTextRetrieval` as `referring.protocols.Matcher`.

    The image side runs once an image, and so do the keys and values of every cross-attention; of the text
    side only what lies above the chosen layer's attention is differentiated. The layers are the library's,
    their order is written out here: transformers' own text encoder (5.23) would also lose the mask of the
    image on its way to the cross-attention.

    Args:
        model: the network, a `BlipForImageTextRetrieval`.
        tokenizer: its own; must be a fast one, because the characters of each piece are asked for.
        layer: 0-based, whose cross-attention is read; in the last one only the class token has a gradient.

    Raises:
        WeightsError: there is no such layer.
    """

    def __init__(self, model: Any, tokenizer: Any, *, layer: int) -> None:
        layers = model.text_encoder.encoder.layer
        if not 0 <= layer < len(layers):
            raise WeightsError(
                f"the matching network has {len(layers)} text layers, there is none of {layer}"
            )
        self.model = model.eval().requires_grad_(False)
        self.tokenizer = tokenizer
        self.layer = layer
        vision = model.config.vision_config
        self.input_size: int = vision.image_size
        self.grid_size: int = vision.image_size // vision.patch_size
        self.max_tokens: int = model.config.text_config.max_position_embeddings
        self.n_heads: int = model.config.text_config.num_attention_heads

    @classmethod
    def load(
        cls, folder: Path, *, layer: int, device: str = "cpu", precision: Precision = "fp32"
    ) -> "BlipMatcher":
        """A transformers model folder: config, safetensors weights and tokenizer.

        Raises:
            WeightsError: a file is missing, cannot be read, or lacks weights of the network.
        """
        model = complete(BlipForImageTextRetrieval, folder).to(device)
        if precision == "bf16":  # what is differentiated stays as it is
            in_bf16(model.vision_model.encoder)
        return cls(model, AutoTokenizer.from_pretrained(folder), layer=layer)

    @property
    def _device(self) -> torch.device:
        return torch.device(next(self.model.parameters()).device)

    @torch.inference_mode()
    def encode_picture(self, picture: NDArray[np.float32]) -> NDArray[np.float32]:
        """Normalised float32 [3, S, S] -> keys and values, float32 [layers, 2, heads, 1 + P, W / heads]."""
        pixels = torch.as_tensor(picture, device=self._device)[None]
        states = self.model.vision_model(pixel_values=pixels).last_hidden_state
        kept = []
        for layer in self.model.text_encoder.encoder.layer:
            attention = layer.crossattention.self
            kept.append(
                torch.stack([self._heads(part(states))[0] for part in (attention.key, attention.value)])
            )
        return np.asarray(torch.stack(kept).float().cpu().numpy(), np.float32)

    def pieces(self, texts: Sequence[str]) -> list[list[tuple[int, int]]]:
        """As the protocol has it; what is too long is cut."""
        coded = self.tokenizer(
            list(texts), truncation=True, max_length=self.max_tokens, return_offsets_mapping=True
        )
        return [[(int(a), int(b)) for a, b in spans] for spans in coded["offset_mapping"]]

    def attend(self, encoded: NDArray[np.float32], texts: Sequence[str], kept: NDArray[np.bool_]) -> Attended:
        """As the protocol has it. Needs gradients, so it must not be called in inference mode."""
        coded = self.tokenizer(
            list(texts), padding=True, truncation=True, max_length=self.max_tokens, return_tensors="pt"
        ).to(self._device)
        is_text = coded["attention_mask"]
        keys_values = torch.as_tensor(encoded, device=self._device, dtype=self.model.dtype)
        seen = torch.cat([torch.ones(len(texts), 1, dtype=torch.bool), torch.as_tensor(kept)], 1)
        image_bias = torch.where(seen, 0.0, HIDDEN)[:, None, None].to(keys_values)
        text_bias = torch.where(is_text == 1, 0.0, HIDDEN)[:, None, None].to(keys_values)
        encoder = self.model.text_encoder
        layers = encoder.encoder.layer
        with torch.no_grad():
            hidden = encoder.embeddings(input_ids=coded["input_ids"])
            for i in range(self.layer):
                hidden = self._below(layers[i], hidden, text_bias)
                hidden = self._above(layers[i], hidden, self._attention(i, hidden, keys_values, image_bias),
                                     keys_values[i, 1])  # fmt: skip
            hidden = self._below(layers[self.layer], hidden, text_bias)
            attention = self._attention(self.layer, hidden, keys_values, image_bias)
        attention = attention.detach().requires_grad_(True)
        with torch.enable_grad():
            hidden = self._above(layers[self.layer], hidden, attention, keys_values[self.layer, 1])
            for i in range(self.layer + 1, len(layers)):
                hidden = self._below(layers[i], hidden, text_bias)
                hidden = self._above(layers[i], hidden, self._attention(i, hidden, keys_values, image_bias),
                                     keys_values[i, 1])  # fmt: skip
            logits = self.model.itm_head(hidden[:, 0]).float()
            (gradient,) = torch.autograd.grad(logits[:, MATCH].sum(), attention)
        rows = (is_text == 1)[:, None, :, None]
        return Attended(
            attention=_array((attention.detach() * rows)[..., 1:]),
            gradient=_array((gradient * rows)[..., 1:]),
            match=_array(F.softmax(logits.detach(), -1)[:, MATCH]),
        )

    def _heads(self, states: torch.Tensor) -> torch.Tensor:
        """[B, L, W] -> [B, heads, L, W / heads]."""
        return states.view(*states.shape[:2], self.n_heads, -1).transpose(1, 2)

    def _below(self, layer: Any, hidden: torch.Tensor, text_bias: torch.Tensor) -> torch.Tensor:
        """Self-attention of the words."""
        after: torch.Tensor = layer.attention(hidden, attention_mask=text_bias)[0]
        return after

    def _attention(
        self, i: int, hidden: torch.Tensor, keys_values: torch.Tensor, image_bias: torch.Tensor
    ) -> torch.Tensor:
        """Cross-attention probabilities [T, heads, L, 1 + P], before any dropout."""
        query = self._heads(self.model.text_encoder.encoder.layer[i].crossattention.self.query(hidden))
        logits = query @ keys_values[i, 0].transpose(-1, -2) * query.shape[-1] ** -0.5 + image_bias
        return torch.softmax(logits, -1)

    def _above(
        self, layer: Any, hidden: torch.Tensor, attention: torch.Tensor, values: torch.Tensor
    ) -> torch.Tensor:
        """What is made of the attention: the mixed values, and the rest of the layer."""
        mixed = (attention @ values).transpose(1, 2).flatten(2)
        after: torch.Tensor = layer.feed_forward_chunk(layer.crossattention.output(mixed, hidden))
        return after


def _array(tensor: torch.Tensor) -> NDArray[np.float32]:
    return np.asarray(tensor.float().cpu().numpy(), np.float32)
