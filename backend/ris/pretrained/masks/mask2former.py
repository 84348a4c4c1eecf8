"""Mask2Former: the mask of every query is a proposal, whatever its class.

Source: Cheng et al., "Masked-attention Mask Transformer for Universal Image Segmentation", CVPR 2022,
arXiv:2112.01527, through transformers. The selection is that of IteRPrimE's released code
(mask2former/maskformer_model.py): all queries, things and stuff, whatever their class and score. Differences:
detectron2 pads the resized image to a multiple of 32, and the library's processor resizes to one; proposals
are ordered by the network's confidence.
"""

import math
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from transformers import Mask2FormerForUniversalSegmentation, Mask2FormerImageProcessor

from ris.core.boxes import compute_boxes
from ris.core.masks import remove_specks
from ris.core.proposals import Proposals
from ris.core.stack import MaskStack
from ris.core.types import Image, Size
from ris.errors import WeightsError
from ris.pretrained.hf_loading import load_complete_network
from ris.pretrained.masks.settings import QuerySettings

_PROCESSOR_FILE = "preprocessor_config.json"


class Mask2FormerProposer:
    """A `Mask2FormerForUniversalSegmentation` as `referring.protocols.Proposer`.

    It takes no clicks, and stores nothing with the scene.

    Args:
        model: the network, on the device where it runs.
        processor: its image processor, for the normalisation.
        settings: the size of the image, and the selection of masks.
    """

    def __init__(self, model: Any, processor: Any, settings: QuerySettings) -> None:
        self.model, self.processor, self.settings = model.eval(), processor, settings

    @classmethod
    def load(cls, folder: Path, settings: QuerySettings, *, device: str = "cpu") -> "Mask2FormerProposer":
        """Load a transformers model folder: config, weights and the image processor's config.

        Raises:
            WeightsError: a file is missing or damaged, or lacks weights of the network.
        """
        if not (folder / _PROCESSOR_FILE).is_file():
            raise WeightsError(f"the model lacks {folder / _PROCESSOR_FILE}; fetch it again")
        model = load_complete_network(Mask2FormerForUniversalSegmentation, folder).to(device)
        try:
            processor = Mask2FormerImageProcessor.from_pretrained(folder)
        except Exception as error:  # json and transformers have errors of their own
            raise WeightsError(f"{folder / _PROCESSOR_FILE} is damaged; fetch it again") from error
        return cls(model, processor, settings)

    @torch.inference_mode()
    def propose(self, image: Image) -> Proposals:
        """Propose the masks of the best queries, best first, without empty ones.

        A query's quality is the probability of its class times the mean mask probability above the threshold,
        on the network's grid. Masks are enlarged one at a time: in float32, the masks of 200 queries would
        take 10 GB at 12 megapixels.
        """
        pixels = self._preprocess(image)
        found = self.model(pixel_values=pixels)
        logits = found.masks_queries_logits[0].float()
        quality = compute_qualities(
            found.class_queries_logits[0].float(), logits, self.settings.mask_threshold
        )
        order = [i for i in torch.argsort(quality, descending=True, stable=True).tolist() if quality[i]]
        input_size = int(pixels.shape[2]), int(pixels.shape[3])
        kept_quality: list[float] = []

        def make_large_masks() -> Iterator[NDArray[np.bool_]]:
            for query in order:
                mask = self._make_mask(logits[query].cpu().numpy(), input_size, image.size)
                if np.count_nonzero(mask) >= max(1, self.settings.min_area_px):
                    kept_quality.append(float(quality[query]))
                    yield mask

        masks = MaskStack.from_masks(islice(make_large_masks(), self.settings.max_proposals), image.size)
        return Proposals(masks, compute_boxes(masks), np.array(kept_quality, np.float32))

    def _preprocess(self, image: Image) -> torch.Tensor:
        """Resize and normalise an image: float32 [1, 3, h, w], multiples of the processor's divisor."""
        size = {"shortest_edge": self.settings.short_side, "longest_edge": self.settings.long_side}
        batch = self.processor(
            np.array(image.pixels), size=size, input_data_format="channels_last", return_tensors="pt"
        )
        prepared: torch.Tensor = batch["pixel_values"].to(self.model.device)
        return prepared

    def _make_mask(self, logits: NDArray[np.float32], input_size: Size, size: Size) -> NDArray[np.bool_]:
        """Make a bool mask [H, W] of logits [h, w], resized to the network's input, then to the image."""
        for height, width in (input_size, size):  # equals PyTorch's bilinear resize, in a fifth of the time
            logits = np.asarray(cv2.resize(logits, (width, height), interpolation=cv2.INTER_LINEAR))
        mask = logits > np.float32(compute_logit(self.settings.mask_threshold))
        return remove_specks(mask, share=self.settings.speck_share) if self.settings.speck_share else mask


def compute_qualities(classes: torch.Tensor, masks: torch.Tensor, threshold: float) -> torch.Tensor:
    """Compute the confidence of each query: float32 [Q] in [0, 1], 0 for an empty mask.

    Args:
        classes: logits [Q, K + 1]; the last is "no object", which is not counted.
        masks: logits [Q, h, w].
        threshold: probability above which a pixel belongs to a mask.
    """
    best = classes.softmax(-1)[:, :-1].amax(-1)
    flat = masks.flatten(1)
    inside = flat > compute_logit(threshold)
    mean = (flat.sigmoid() * inside).sum(1) / inside.sum(1).clamp(min=1)
    return best * mean


def compute_logit(probability: float) -> float:
    """Compute the logit of a probability, the inverse of the sigmoid."""
    return math.log(probability / (1 - probability))
