"""SAM 2.1 on single images: proposals, and masks from clicks, through transformers' `Sam2Model`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from segment_anything.utils.amg import build_point_grid
from torch import Tensor
from transformers import Sam2ImageProcessor, Sam2Model

from ris.core.proposals import Prompts, Proposals
from ris.core.types import Image, Size
from ris.errors import WeightsError
from ris.pretrained.hf_loading import load_complete_network
from ris.pretrained.masks.candidates import (
    Candidates,
    Upsampler,
    find_trusted,
    select_stable,
    suppress_duplicates,
)
from ris.pretrained.masks.clicks import make_click_proposals, replace_mask_by_click, to_prompt_logits
from ris.pretrained.masks.selection import select_proposals, shrink_bilinear
from ris.pretrained.masks.settings import SamSettings
from ris.referring.scene import PROPOSER_KEY, Scene

_CLICKS_PER_STEP = 16  # the decoder needs about 60 MB a click


class Sam2Proposer:
    """SAM 2.1 as `referring.protocols.Proposer` and `Refiner`.

    Unlike in SAM, the image is resized to a square without padding, and has features at three resolutions.
    """

    def __init__(self, model: Sam2Model, processor: Sam2ImageProcessor, settings: SamSettings) -> None:
        self.model, self.processor, self.settings = model, processor, settings

    @classmethod
    def load(cls, folder: Path, settings: SamSettings, *, device: str = "cpu") -> "Sam2Proposer":
        """Load a folder with `config.json`, `preprocessor_config.json` and `model.safetensors`, as published.

        Raises:
            WeightsError: a file is missing or damaged, or lacks weights.
        """
        try:
            processor = Sam2ImageProcessor.from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError) as error:
            raise WeightsError(
                f"the model in {folder} lacks a readable preprocessor_config.json; fetch or install it again"
            ) from error
        return cls(load_complete_network(Sam2Model, folder).to(device), processor, settings)

    @torch.inference_mode()
    def propose(self, image: Image) -> Proposals:
        """Propose the distinct masks with the highest trust, best first."""
        pixels = shrink_bilinear(image.pixels, self.settings.working_side)
        size = (pixels.shape[0], pixels.shape[1])
        features = self._compute_features(pixels)
        upsampler = self._make_upsampler(size)
        found = suppress_duplicates(
            list(self._generate_candidates(features, upsampler)), upsampler, self.settings
        )
        seen = {f"features_{i}": map_.cpu().numpy() for i, map_ in enumerate(features)}
        return select_proposals(found, self.settings, image.size, seen | {"size": np.array(size, np.int64)})

    @torch.inference_mode()
    def refine(self, scene: Scene, prompts: Prompts) -> Proposals:
        """Make SAM 2's three masks for the prompts, best predicted IoU first, without empty ones.

        Args:
            scene: scene of an image that this proposer has processed.
            prompts: in pixels of the image.
        """
        seen = scene.features[PROPOSER_KEY]
        count = self.model.num_feature_levels
        features = [
            torch.from_numpy(seen[f"features_{i}"].copy()).to(self.model.device) for i in range(count)
        ]
        if not self.settings.mask_prompts:
            prompts = replace_mask_by_click(prompts)
        maps, predicted_iou = self._decode_prompts(features, **self._to_input(prompts, scene.size))
        height, width = (int(length) for length in seen["size"])
        masks = (self._make_upsampler((height, width)).upsample(maps[0]) > 0).cpu().numpy()
        return make_click_proposals(masks, predicted_iou[0].cpu().numpy(), scene.size, self.settings)

    def _compute_features(self, pixels: NDArray[np.uint8]) -> list[Tensor]:
        """Compute the features, finest first; the coarsest includes the embedding for "no earlier frame"."""
        inputs = self.processor(images=pixels, return_tensors="pt")["pixel_values"]
        return list(self.model.get_image_embeddings(inputs.to(self.model.device)))

    def _generate_candidates(self, features: list[Tensor], upsampler: Upsampler) -> Iterator[Candidates]:
        grid = build_point_grid(self.settings.points_per_side) * self._side
        points = torch.as_tensor(grid, dtype=torch.float32, device=self.model.device)
        for start in range(0, len(points), _CLICKS_PER_STEP):
            clicks = points[start : start + _CLICKS_PER_STEP]
            labels = torch.ones(1, len(clicks), 1, dtype=torch.int64, device=clicks.device)
            maps, scores = self._decode_prompts(
                features, input_points=clicks[None, :, None], input_labels=labels
            )
            wanted = find_trusted(scores, self.settings)
            yield select_stable(maps[wanted], scores[wanted], upsampler, self.settings)

    def _decode_prompts(self, features: list[Tensor], **prompts: Tensor) -> tuple[Tensor, Tensor]:
        """Decode P prompts to logits float32 [P, 3, 4 G, 4 G] and predicted IoU float32 [P, 3]."""
        output = self.model(image_embeddings=list(features), multimask_output=True, **prompts)
        return output.pred_masks[0], output.iou_scores[0]

    def _to_input(self, prompts: Prompts, size: Size) -> dict[str, Any]:
        """Convert prompts on an image of a (height, width) to the network's square."""
        device = self.model.device
        scale = np.array([self._side / size[1], self._side / size[0]], np.float32)
        inputs: dict[str, Any] = {}
        if len(prompts.points):
            inputs["input_points"] = torch.as_tensor(prompts.points * scale, device=device)[None, None]
            labels = torch.as_tensor(prompts.positive.astype(np.int64), device=device)
            inputs["input_labels"] = labels[None, None]
        if prompts.box is not None:
            box = np.array(prompts.box, np.float32) * np.tile(scale, 2)
            inputs["input_boxes"] = torch.as_tensor(box, device=device)[None, None]
        if prompts.mask is not None:
            side = self._map_side
            inputs["input_masks"] = torch.as_tensor(
                to_prompt_logits(prompts.mask, side, (side, side)), device=device
            )[None]
        return inputs

    def _make_upsampler(self, size: Size) -> Upsampler:
        return Upsampler.from_squashed(self._map_side, size).to_device(self.model.device)

    @property
    def _side(self) -> int:
        side: Any = self.model.prompt_encoder.input_image_size
        return int(side)

    @property
    def _map_side(self) -> int:
        return int(self.model.prompt_encoder.mask_input_size[0])
