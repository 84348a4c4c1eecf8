"""CLIP's ViTs through open_clip: features of images, of masked images, and of texts."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ris.errors import WeightsError
from ris.pretrained.clip.block import apply_norm, check_block, run_block
from ris.pretrained.clip.network import concatenate_features, encode_texts, read_clip, split_into_batches
from ris.pretrained.clip.resnet import ClipResNetEncoder
from ris.pretrained.device import Precision


class ClipEncoder:
    """An open_clip ViT as `referring.protocols.Encoder`.

    Args:
        model: a network with a ViT image encoder, from `open_clip.create_model`.
        tokenizer: its tokenizer, from `open_clip.get_tokenizer`.

    Raises:
        WeightsError: the image encoder is not a square ViT that pools by its class token.
    """

    def __init__(self, model: Any, tokenizer: Any) -> None:
        visual = model.visual
        if not hasattr(visual, "transformer") or len(set(visual.image_size)) != 1:
            raise WeightsError(f"Global-Local CLIP needs a square ViT, got {type(visual).__name__}")
        if visual.pool_type != "tok" or visual.attn_pool is not None or visual.final_ln_after_pool:
            raise WeightsError("Global-Local CLIP needs a ViT that pools by its class token")
        for block in visual.transformer.resblocks:
            check_block(block)
        self.model = model.eval()
        self.tokenizer = tokenizer
        self.input_size: int = visual.image_size[0]
        self.grid_size: int = visual.grid_size[0]
        self.n_blocks: int = len(visual.transformer.resblocks)

    @classmethod
    def load(cls, folder: Path, *, device: str = "cpu", precision: Precision = "fp32") -> "ClipEncoder":
        """Load a ViT as `load_clip` does; another network raises `WeightsError`."""
        return cls(*read_clip(folder, device=device, precision=precision))

    @torch.inference_mode()
    def encode_images(self, pictures: NDArray[np.float32]) -> NDArray[np.float32]:
        """Encode normalised images float32 [N, 3, S, S] as unnormalised features float32 [N, D]."""
        visual = self.model.visual
        features = [
            compute_class_feature(visual, embed_pictures(visual, batch, self.n_blocks - 1))
            for batch in split_into_batches(self.model, pictures)
        ]
        return concatenate_features(self.model, features)

    @torch.inference_mode()
    def encode_masked(
        self, picture: NDArray[np.float32], grids: NDArray[np.float32], *, first_masked_block: int
    ) -> NDArray[np.float32]:
        """Encode a normalised image float32 [3, S, S] under N masks as unnormalised features float32 [N, D].

        The blocks before the first masked one run once for all masks.

        Args:
            picture: the image.
            grids: float32 [N, G, G] in [0, 1], the factor of each patch.
            first_masked_block: 0-based; `n_blocks` masks none.
        """
        if not len(grids):
            return concatenate_features(self.model, [])
        visual = self.model.visual
        shared = min(first_masked_block, self.n_blocks - 1)
        (pixels,) = split_into_batches(self.model, picture[None])
        tokens = embed_pictures(visual, pixels, shared)
        features = [
            see_through(visual, tokens, batch.flatten(1), first_masked_block)
            for batch in split_into_batches(self.model, grids)
        ]
        return concatenate_features(self.model, features)

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Encode T texts as unnormalised features float32 [T, D], cut where they are too long."""
        return encode_texts(self.model, self.tokenizer, texts)


def load_clip(
    folder: Path, *, device: str = "cpu", precision: Precision = "fp32"
) -> ClipEncoder | ClipResNetEncoder:
    """Load the encoder in an open_clip model folder, a ViT or one of CLIP's ResNets.

    Raises:
        WeightsError: a file is missing or cannot be read, or the network is of another kind.
    """
    model, tokenizer = read_clip(folder, device=device, precision=precision)
    if hasattr(model.visual, "attnpool"):
        return ClipResNetEncoder(model, tokenizer)
    return ClipEncoder(model, tokenizer)


def embed_pictures(visual: Any, pictures: torch.Tensor, n_blocks: int) -> torch.Tensor:
    """Compute the residual stream [B, 1 + G * G, W] of images [B, 3, S, S] after the first blocks."""
    tokens: torch.Tensor = visual._embeds(pictures).float()  # the residual stream stays in float32
    for block in visual.transformer.resblocks[:n_blocks]:
        tokens = run_block(block, tokens, n_rows=tokens.shape[1])
    return tokens


def see_through(
    visual: Any, tokens: torch.Tensor, grids: torch.Tensor, first_masked_block: int
) -> torch.Tensor:
    """Run the masked blocks: token masking of Global-Local CLIP, as its released code has it for ViTs.

    Patches with factor 0 are equal in every block, and their outputs are not needed. One key stands for all
    of them; its logit gets the logarithm of their number added.

    Args:
        visual: the image encoder.
        tokens: [1, 1 + P, W], one image's residual stream before `first_masked_block`, or before the last
            block if that comes first.
        grids: [N, P] in [0, 1], the factor of each patch; the class token has none.
        first_masked_block: 0-based; the number of blocks masks none.

    Returns:
        [N, D], unnormalised features of the class token.
    """
    blocks = visual.transformer.resblocks
    if first_masked_block == len(blocks):  # no block is masked
        return compute_class_feature(visual, tokens).expand(len(grids), -1)
    factors, bias, order = _select_tokens(grids)
    shown = torch.gather(
        tokens.expand(len(grids), -1, -1), 1, order[..., None].expand(-1, -1, tokens.shape[2])
    )
    hidden = tokens.new_zeros(len(grids), 1, tokens.shape[2])
    for block in blocks[first_masked_block:-1]:
        shown = run_block(block, torch.cat([shown * factors, hidden], 1), n_rows=shown.shape[1], bias=bias)
    return compute_class_feature(visual, torch.cat([shown * factors, hidden], 1), bias)


def _select_tokens(grids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Select the keys of each mask: the class token, the patches above 0, padding, and one for all others.

    Returns:
        factors [N, K, 1] of the first K keys; bias [N, 1, 1, K + 1], -inf for padding and for a last key that
        stands for no patch; order [N, K], indices of the first K keys among the 1 + P tokens.
    """
    factors = torch.cat([grids.new_ones(len(grids), 1), grids], dim=1)
    n_shown = (factors > 0).sum(1)
    order = torch.argsort((factors > 0).int(), dim=1, descending=True, stable=True)[:, : int(n_shown.max())]
    factors = factors.gather(1, order)
    absent = torch.where(factors > 0, 0.0, -torch.inf)
    n_hidden = (grids.shape[1] + 1 - n_shown)[:, None]
    bias = torch.cat([absent, n_hidden.float().log()], dim=1)[:, None, None].to(grids)
    return factors[..., None], bias, order


def compute_class_feature(
    visual: Any, tokens: torch.Tensor, bias: torch.Tensor | None = None
) -> torch.Tensor:
    """Compute unnormalised features [N, D] of the class token from the residual stream before the last block.

    The last block is computed for the class token only.

    Args:
        visual: the image encoder.
        tokens: [N, L, W], the class token first.
        bias: of `run_block`.
    """
    own = run_block(visual.transformer.resblocks[-1], tokens, n_rows=1, bias=bias)
    features: torch.Tensor = apply_norm(visual.ln_post, own[:, 0]) @ visual.proj
    return features
