"""CLIP's ResNets through open_clip: plain pictures, feature maps seen through a mask, and texts."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from ris.errors import WeightsError
from ris.pretrained.clip.network import concatenate_features, encode_texts, split_into_batches


class ClipResNetEncoder:
    """An open_clip `ModifiedResNet` as `referring.protocols.Encoder`.

    Its blocks cannot be masked; what the protocol calls a block is here the attention pooling alone, so
    `n_blocks` is 1 and `first_masked_block` is 0 (masked) or 1 (never).

    Args:
        model: a network with a ResNet image side, as `open_clip.create_model` makes it.
        tokenizer: its own, as `open_clip.get_tokenizer` gives it.

    Raises:
        WeightsError: the image side is another network.
    """

    n_blocks = 1

    def __init__(self, model: Any, tokenizer: Any) -> None:
        visual = model.visual
        if not hasattr(visual, "layer4") or not hasattr(visual, "attnpool"):
            raise WeightsError(f"Global-Local CLIP needs CLIP's own ResNet, got {type(visual).__name__}")
        side = visual.image_size
        self.model, self.tokenizer = model.eval(), tokenizer
        self.input_size: int = side[0] if isinstance(side, tuple) else side
        self.grid_size: int = self.input_size // 32

    @torch.inference_mode()
    def encode_images(self, pictures: NDArray[np.float32]) -> NDArray[np.float32]:
        """Normalised float32 [N, 3, S, S] -> raw features float32 [N, D]."""
        visual = self.model.visual
        return concatenate_features(
            self.model, [visual(batch) for batch in split_into_batches(self.model, pictures)]
        )

    @torch.inference_mode()
    def encode_masked(
        self, picture: NDArray[np.float32], grids: NDArray[np.float32], *, first_masked_block: int
    ) -> NDArray[np.float32]:
        """float32 [3, S, S] seen through grids [N, G, G] -> raw features float32 [N, D].

        The feature map is made once, for all masks. Its locations are brought to unit length over the
        channels, masked or not.

        Source: the RN50 path of Global-Local CLIP's released code. Each location of the map before the
        pooling is normalised and multiplied by the mask; the pooling's query is the mean over all
        locations of the masked map, those at nought included.
        """
        visual = self.model.visual
        masks = np.ones_like(grids) if first_masked_block >= self.n_blocks else grids
        (pixels,) = split_into_batches(self.model, picture[None])
        located = F.normalize(compute_feature_map(visual, pixels), dim=1)
        pooled = [
            visual.attnpool(located * batch[:, None]) for batch in split_into_batches(self.model, masks)
        ]
        return concatenate_features(self.model, pooled)

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """T texts -> raw features float32 [T, D]; what is too long is cut, keeping the end token."""
        return encode_texts(self.model, self.tokenizer, texts)


def compute_feature_map(visual: Any, pixels: torch.Tensor) -> torch.Tensor:
    """Pictures [B, 3, S, S] -> what the attention pooling reads, [B, C, S / 32, S / 32]."""
    states: torch.Tensor = visual.stem(pixels)
    for layer in (visual.layer1, visual.layer2, visual.layer3, visual.layer4):
        states = layer(states)
    return states
