"""CLIP through open_clip: plain pictures, pictures seen through a mask, and texts."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
from numpy.typing import NDArray
from open_clip.transformer import text_global_pool

from backend.errors import WeightsError
from backend.pretrained.device import Precision

BATCH = 64
TEXT_BATCH = 256


class ClipEncoder:
    """An open_clip ViT as `referring.protocols.Encoder`.

    Args:
        model: a network with a ViT image side, as `open_clip.create_model` makes it.
        tokenizer: its own, as `open_clip.get_tokenizer` gives it.

    Raises:
        WeightsError: the image side is not a square ViT.
    """

    def __init__(self, model: Any, tokenizer: open_clip.tokenizer.HFTokenizer) -> None:
        visual = model.visual
        if not hasattr(visual, "transformer") or len(set(visual.image_size)) != 1:
            raise WeightsError(f"Global-Local CLIP needs a square ViT, got {type(visual).__name__}")
        if visual.pool_type != "tok" or visual.attn_pool is not None or visual.final_ln_after_pool:
            raise WeightsError("Global-Local CLIP needs a ViT that reads its answer off the class token")
        self.model = model.eval()
        self.tokenizer = tokenizer
        self.input_size: int = visual.image_size[0]
        self.grid_size: int = visual.grid_size[0]
        self.n_blocks: int = len(visual.transformer.resblocks)

    @classmethod
    def load(cls, folder: Path, *, device: str = "cpu", precision: Precision = "fp32") -> "ClipEncoder":
        """An open_clip model folder: config, safetensors weights and tokenizer.

        Raises:
            WeightsError: a file is missing or cannot be read. open_clip itself only warns and goes on
                with random weights.
        """
        for name in ("open_clip_config.json", "open_clip_model.safetensors", "tokenizer.json"):
            if not (folder / name).is_file():
                raise WeightsError(f"the CLIP model lacks {folder / name}; install the package again")
        schema = f"local-dir:{folder}"
        try:
            model = open_clip.create_model(schema, device=device, require_pretrained=True)
            if precision == "bf16":
                model = model.to(torch.bfloat16)
            return cls(model, open_clip.get_tokenizer(schema))
        except WeightsError:
            raise
        except Exception as error:  # each of the libraries underneath has errors of its own
            reason = " ".join(str(error).split())[:300]
            raise WeightsError(
                f"the CLIP model in {folder} is damaged: {reason}; install it again"
            ) from error

    @property
    def _device(self) -> torch.device:
        return torch.device(next(self.model.parameters()).device)

    @torch.inference_mode()
    def encode_images(self, pictures: NDArray[np.float32]) -> NDArray[np.float32]:
        """Normalised float32 [N, 3, S, S] -> raw features float32 [N, D]."""
        visual = self.model.visual
        batches = [
            class_feature(visual, embed(visual, batch, self.n_blocks - 1))
            for batch in self._batches(pictures)
        ]
        return self._joined(batches)

    @torch.inference_mode()
    def encode_masked(
        self, picture: NDArray[np.float32], grids: NDArray[np.float32], *, first_masked_block: int
    ) -> NDArray[np.float32]:
        """float32 [3, S, S] seen through grids [N, G, G] -> raw features float32 [N, D].

        The blocks before the first masked one run once, for all masks.
        """
        if not len(grids):
            return self._joined([])
        visual = self.model.visual
        shared = min(first_masked_block, self.n_blocks - 1)
        pixels = torch.as_tensor(picture, device=self._device, dtype=self._dtype)
        tokens = embed(visual, pixels[None], shared)
        batches = [
            see_through(visual, tokens, batch.flatten(1), first_masked_block)
            for batch in self._batches(grids)
        ]
        return self._joined(batches)

    @torch.inference_mode()
    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """T texts -> raw features float32 [T, D]; what is too long is cut, keeping the end token."""
        if not texts:
            return self._joined([])
        ids = self.tokenizer(list(texts)).to(self._device)
        return self._joined([text_features(self.model, batch) for batch in ids.split(TEXT_BATCH)])

    @property
    def _dtype(self) -> torch.dtype:
        return next(self.model.parameters()).dtype  # type: ignore[no-any-return]

    def _batches(self, array: NDArray[np.float32]) -> Iterator[torch.Tensor]:
        for start in range(0, len(array), BATCH):
            yield torch.tensor(array[start : start + BATCH], device=self._device, dtype=self._dtype)

    def _joined(self, batches: Sequence[torch.Tensor]) -> NDArray[np.float32]:
        if not batches:
            return np.zeros((0, self.model.visual.output_dim), np.float32)
        return np.asarray(torch.cat(list(batches)).float().cpu().numpy(), np.float32)


def embed(visual: Any, pictures: torch.Tensor, n_blocks: int) -> torch.Tensor:
    """Pictures [B, 3, S, S] -> residual stream [B, 1 + G*G, W] after the first `n_blocks` blocks."""
    tokens: torch.Tensor = visual._embeds(pictures)
    for block in visual.transformer.resblocks[:n_blocks]:
        tokens = block(tokens)
    return tokens


def see_through(
    visual: Any, tokens: torch.Tensor, grids: torch.Tensor, first_masked_block: int
) -> torch.Tensor:
    """Token masking (papers sheet 1, "Global visual feature, ViT").

    Args:
        tokens: [1, 1 + P, W], one picture's residual stream before `first_masked_block` or the last one.
        grids: [N, P] in [0, 1], what each patch is multiplied by; the class token never is.

    Returns:
        [N, D] raw features of the class token.
    """
    factors = torch.cat([grids.new_ones(len(grids), 1), grids], dim=1)[..., None]
    tokens = tokens.expand(len(grids), -1, -1)
    if first_masked_block == len(visual.transformer.resblocks):  # after the last: nothing is hidden
        factors = torch.ones_like(factors)
    for block in visual.transformer.resblocks[first_masked_block:-1]:
        tokens = block(tokens * factors)
    return class_feature(visual, tokens * factors)


def class_feature(visual: Any, tokens: torch.Tensor) -> torch.Tensor:
    """Residual stream [N, 1 + P, W] before the last block -> raw features [N, D].

    Of the last block only what becomes of the class token is computed: nobody reads the others.
    """
    block = visual.transformer.resblocks[-1]
    normed, own = block.ln_1(tokens), tokens[:, :1]
    own = own + block.ls_1(block.attention(q_x=normed[:, :1], k_x=normed, v_x=normed))
    own = own + block.ls_2(block.mlp(block.ln_2(own)))
    features: torch.Tensor = visual.ln_post(own[:, 0]) @ visual.proj
    return features


def text_features(model: Any, ids: torch.Tensor) -> torch.Tensor:
    """Token ids [T, L] -> raw features [T, D], as `encode_text`, cut behind the last end token.

    Exact under the causal mask: no token before the end sees one behind it.
    """
    if model.attn_mask is not None and model.text_pool_type in ("argmax", "eos"):
        ends = ids if model.text_pool_type == "argmax" else (ids == model.text_eos_id).int()
        ids = ids[:, : int(ends.argmax(-1).max()) + 1]
    length = ids.shape[1]
    mask = None if model.attn_mask is None else model.attn_mask[:length, :length]
    dtype = model.transformer.get_cast_dtype()
    tokens = model.token_embedding(ids).to(dtype) + model.positional_embedding[:length].to(dtype)
    states = model.ln_final(model.transformer(tokens, attn_mask=mask))
    pooled = text_global_pool(states, ids, model.text_pool_type, eos_token_id=model.text_eos_id)
    features: torch.Tensor = pooled @ model.text_projection
    return features
