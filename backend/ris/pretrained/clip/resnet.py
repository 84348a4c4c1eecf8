"""CLIP's ResNets through open_clip: features of images, of masked feature maps, and of texts."""

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

    Only the attention pooling can be masked. It counts as the protocol's one block: `n_blocks` is 1, and
    `first_masked_block` is 0 (masked) or 1 (not masked).

    Args:
        model: a network with a ResNet image encoder, from `open_clip.create_model`.
        tokenizer: its tokenizer, from `open_clip.get_tokenizer`.

    Raises:
        WeightsError: the image encoder is another network.
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
        """Encode normalised images float32 [N, 3, S, S] as unnormalised features float32 [N, D]."""
        visual = self.model.visual
        return concatenate_features(
            self.model, [visual(batch) for batch in split_into_batches(self.model, pictures)]
        )

    @torch.inference_mode()
    def encode_masked(
        self, picture: NDArray[np.float32], grids: NDArray[np.float32], *, first_masked_block: int
    ) -> NDArray[np.float32]:
        """Encode a normalised image float32 [3, S, S] under N masks as unnormalised features float32 [N, D].

        The feature map is computed once for all masks.

        Source: the RN50 path of Global-Local CLIP's released code. Each location of the map before the
        pooling is normalised over the channels and multiplied by the mask; the pooling's query is the mean
        over all locations of the masked map, zeroed ones included.

        Args:
            picture: the image.
            grids: float32 [N, G, G] in [0, 1], the masks on the feature map.
            first_masked_block: 0 masks the feature map, 1 does not.
        """
        visual = self.model.visual
        masks = np.ones_like(grids) if first_masked_block >= self.n_blocks else grids
        (pixels,) = split_into_batches(self.model, picture[None])
        feature_map = F.normalize(compute_feature_map(visual, pixels), dim=1)
        pooled = [
            visual.attnpool(feature_map * batch[:, None]) for batch in split_into_batches(self.model, masks)
        ]
        return concatenate_features(self.model, pooled)

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Encode T texts as unnormalised features float32 [T, D], cut where they are too long."""
        return encode_texts(self.model, self.tokenizer, texts)


def compute_feature_map(visual: Any, pixels: torch.Tensor) -> torch.Tensor:
    """Compute the input of the attention pooling, [B, C, S / 32, S / 32], of images [B, 3, S, S]."""
    states: torch.Tensor = visual.stem(pixels)
    for layer in (visual.layer1, visual.layer2, visual.layer3, visual.layer4):
        states = layer(states)
    return states
