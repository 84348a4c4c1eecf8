"""CLIP's ViTs through open_clip: plain pictures, pictures seen through a mask, and texts."""

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
        model: a network with a ViT image side, as `open_clip.create_model` makes it.
        tokenizer: its own, as `open_clip.get_tokenizer` gives it.

    Raises:
        WeightsError: the image side is not a square ViT.
    """

    def __init__(self, model: Any, tokenizer: Any) -> None:
        visual = model.visual
        if not hasattr(visual, "transformer") or len(set(visual.image_size)) != 1:
            raise WeightsError(f"Global-Local CLIP needs a square ViT, got {type(visual).__name__}")
        if visual.pool_type != "tok" or visual.attn_pool is not None or visual.final_ln_after_pool:
            raise WeightsError("Global-Local CLIP needs a ViT that reads its answer off the class token")
        for block in visual.transformer.resblocks:
            check_block(block)
        self.model = model.eval()
        self.tokenizer = tokenizer
        self.input_size: int = visual.image_size[0]
        self.grid_size: int = visual.grid_size[0]
        self.n_blocks: int = len(visual.transformer.resblocks)

    @classmethod
    def load(cls, folder: Path, *, device: str = "cpu", precision: Precision = "fp32") -> "ClipEncoder":
        """As `load_clip`, of a folder that must hold a ViT."""
        return cls(*read_clip(folder, device=device, precision=precision))

    @torch.inference_mode()
    def encode_images(self, pictures: NDArray[np.float32]) -> NDArray[np.float32]:
        """Normalised float32 [N, 3, S, S] -> raw features float32 [N, D]."""
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
        """float32 [3, S, S] seen through grids [N, G, G] -> raw features float32 [N, D].

        The blocks before the first masked one run once, for all masks.
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
        """T texts -> raw features float32 [T, D]; what is too long is cut, keeping the end token."""
        return encode_texts(self.model, self.tokenizer, texts)


def load_clip(
    folder: Path, *, device: str = "cpu", precision: Precision = "fp32"
) -> ClipEncoder | ClipResNetEncoder:
    """The encoder of an open_clip model folder: of a ViT or of CLIP's ResNet, whichever it holds.

    Raises:
        WeightsError: a file is missing or cannot be read, or it is another kind of network.
    """
    model, tokenizer = read_clip(folder, device=device, precision=precision)
    if hasattr(model.visual, "attnpool"):
        return ClipResNetEncoder(model, tokenizer)
    return ClipEncoder(model, tokenizer)


def embed_pictures(visual: Any, pictures: torch.Tensor, n_blocks: int) -> torch.Tensor:
    """Pictures [B, 3, S, S] -> residual stream [B, 1 + G*G, W] after the first `n_blocks` blocks."""
    tokens: torch.Tensor = visual._embeds(pictures).float()  # what the blocks add up stays in float32
    for block in visual.transformer.resblocks[:n_blocks]:
        tokens = run_block(block, tokens, n_rows=tokens.shape[1])
    return tokens


def see_through(
    visual: Any, tokens: torch.Tensor, grids: torch.Tensor, first_masked_block: int
) -> torch.Tensor:
    """Token masking, as the released code of Global-Local CLIP has it for ViTs.

    Patches that are multiplied by 0 are the same in every block, and nobody reads what becomes of them: one
    key stands for all of them, its logit raised by the logarithm of their number.

    Args:
        tokens: [1, 1 + P, W], one picture's residual stream before `first_masked_block` or the last one.
        grids: [N, P] in [0, 1], what each patch is multiplied by; the class token never is.

    Returns:
        [N, D] raw features of the class token.
    """
    blocks = visual.transformer.resblocks
    if first_masked_block == len(blocks):  # after the last: nothing is hidden
        return compute_class_feature(visual, tokens).expand(len(grids), -1)
    factors, bias, where = _select_tokens(grids)
    shown = torch.gather(
        tokens.expand(len(grids), -1, -1), 1, where[..., None].expand(-1, -1, tokens.shape[2])
    )
    hidden = tokens.new_zeros(len(grids), 1, tokens.shape[2])
    for block in blocks[first_masked_block:-1]:
        shown = run_block(block, torch.cat([shown * factors, hidden], 1), n_rows=shown.shape[1], bias=bias)
    return compute_class_feature(visual, torch.cat([shown * factors, hidden], 1), bias)


def _select_tokens(grids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Which tokens are looked at: the class token, the patches above 0, padding, and one for all hidden ones.

    Returns:
        factors [N, K, 1] of the first K; bias [N, 1, 1, K + 1], -inf for padding and for hidden ones that do
        not exist; where [N, K], their places among the 1 + P tokens.
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
    """Residual stream [N, L, W] before the last block -> raw features [N, D] of the first token.

    Of the last block only what becomes of the class token is computed: nobody reads the others.
    """
    own = run_block(visual.transformer.resblocks[-1], tokens, n_rows=1, bias=bias)
    features: torch.Tensor = apply_norm(visual.ln_post, own[:, 0]) @ visual.proj
    return features
