"""SAM: proposals through `SamAutomaticMaskGenerator`."""

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image as Pillow
from safetensors.torch import load_file
from segment_anything import SamAutomaticMaskGenerator, SamPredictor
from segment_anything.modeling import ImageEncoderViT, MaskDecoder, PromptEncoder, Sam, TwoWayTransformer

from backend.core import rle
from backend.core.boxes import boxes_of
from backend.core.masks import iou_matrix, without_specks
from backend.core.rle import RLE
from backend.core.types import Image, Prompts, Proposals, Size
from backend.errors import WeightsError
from backend.pretrained.proposing import SamSettings
from backend.referring.scene import PROPOSER, Scene

CERTAIN = 8.0  # a logit: 0.9997


def build_sam(config: dict[str, Any]) -> Sam:
    """A SAM of the shape that `config.json` says, with PyTorch's own start."""
    encoder, decoder = config["encoder"], config["decoder"]
    grid = config["image_size"] // config["patch_size"]
    model = Sam(
        image_encoder=ImageEncoderViT(
            img_size=config["image_size"],
            patch_size=config["patch_size"],
            embed_dim=encoder["width"],
            depth=encoder["depth"],
            num_heads=encoder["heads"],
            mlp_ratio=4,
            out_chans=decoder["width"],
            qkv_bias=True,
            norm_layer=partial(torch.nn.LayerNorm, eps=1e-6),
        ),
        prompt_encoder=PromptEncoder(
            embed_dim=decoder["width"],
            image_embedding_size=(grid, grid),
            input_image_size=(config["image_size"], config["image_size"]),
            mask_in_chans=config["mask_in_channels"],
        ),
        mask_decoder=MaskDecoder(
            num_multimask_outputs=3,
            transformer=TwoWayTransformer(
                depth=decoder["depth"],
                embedding_dim=decoder["width"],
                mlp_dim=decoder["mlp_width"],
                num_heads=decoder["heads"],
            ),
            transformer_dim=decoder["width"],
            iou_head_depth=decoder["iou_head_depth"],
            iou_head_hidden_dim=decoder["iou_head_width"],
        ),
        pixel_mean=config["pixel_mean"],
        pixel_std=config["pixel_std"],
    )
    return model.eval()


def load_sam(folder: Path, *, device: str = "cpu") -> Sam:
    """The SAM in a folder of `config.json` and `model.safetensors`.

    Raises:
        WeightsError: a file is missing, damaged, or does not fit the other.
    """
    for name in ("config.json", "model.safetensors"):
        if not (folder / name).is_file():
            raise WeightsError(f"the SAM model lacks {folder / name}; install the package again")
    try:
        model = build_sam(json.loads((folder / "config.json").read_text()))
        state = load_file(folder / "model.safetensors")
        model.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in state.items()})
    except Exception as error:  # safetensors, json and torch have errors of their own
        reason = " ".join(str(error).split())[:300]
        raise WeightsError(f"the SAM model in {folder} is damaged: {reason}; install it again") from error
    return model.to(device)


class _Keeping(SamPredictor):  # type: ignore[misc]  # segment_anything is not typed
    """A predictor that knows the image when the generator is done with it: to be encoded once."""

    def reset_image(self) -> None:
        if not hasattr(self, "features"):
            super().reset_image()


class SamProposer:
    """`SamAutomaticMaskGenerator` as `referring.protocols.Proposer`, `SamPredictor` as its `Refiner`."""

    def __init__(self, model: Sam, settings: SamSettings) -> None:
        self.model, self.settings = model, settings
        self.generator = SamAutomaticMaskGenerator(
            model,
            points_per_side=settings.points_per_side,
            pred_iou_thresh=settings.pred_iou_thresh,
            stability_score_thresh=settings.stability_score_thresh,
            box_nms_thresh=settings.box_nms_thresh,
        )
        self.generator.predictor = _Keeping(model)

    @torch.inference_mode()
    def propose(self, image: Image) -> Proposals:
        """The distinct masks that the generator trusts most, best first."""
        pixels = _shrunk(image.pixels, self.settings.working_side)
        found = self.generator.generate(pixels)
        found.sort(key=_trust, reverse=True)
        area_px = pixels.shape[0] * pixels.shape[1]
        smallest, largest = self.settings.min_area_share * area_px, self.settings.max_area_share * area_px
        found = [mask for mask in found if max(smallest, 1) <= mask["area"] <= largest]
        kept = self._distinct(found)
        enlarged = [self._finished(mask["segmentation"], image.size) for mask in kept]
        masks = np.array(enlarged, np.bool_).reshape(-1, *image.size)
        quality = np.array([_trust(mask) for mask in kept], np.float32)
        predictor = self.generator.predictor
        seen = {
            "embedding": predictor.features[0].cpu().numpy(),
            "sizes": np.array([*predictor.original_size, *predictor.input_size], np.int64),
        }
        return Proposals(masks, boxes_of(masks), np.clip(quality, 0, 1), seen)

    @torch.inference_mode()
    def refine(self, scene: Scene, prompts: Prompts) -> Proposals:
        """SAM's three masks for the prompts, the one it trusts most first; without those that are empty.

        Args:
            scene: of an image that this proposer has seen.
        """
        seen = scene.features[PROPOSER]
        height, width, *input_size = (int(value) for value in seen["sizes"])
        predictor = SamPredictor(self.model)
        predictor.features = torch.from_numpy(seen["embedding"].copy())[None].to(predictor.device)
        predictor.original_size, predictor.input_size = (height, width), tuple(input_size)
        predictor.is_image_set = True
        shrink = np.array([width / scene.size[1], height / scene.size[0]])
        if prompts.mask is not None and not self.settings.mask_prompts:
            prompts = _pointed_at(prompts)
        box = None if prompts.box is None else np.array(prompts.box) * np.tile(shrink, 2)
        found, trust, _ = predictor.predict(
            point_coords=prompts.points * shrink if len(prompts.points) else None,
            point_labels=prompts.positive.astype(np.int64) if len(prompts.points) else None,
            box=box,
            mask_input=None if prompts.mask is None else self._low_resolution(prompts.mask, input_size),
        )
        order = [int(i) for i in np.argsort(-trust, kind="stable") if found[i].any()]
        masks = np.array([self._finished(found[i], scene.size) for i in order], np.bool_)
        masks = masks.reshape(-1, *scene.size)
        kept = masks.any((1, 2))
        return Proposals(
            masks[kept], boxes_of(masks[kept]), np.clip(trust[order], 0, 1).astype(np.float32)[kept]
        )

    def _finished(self, mask: NDArray[np.bool_], size: Size) -> NDArray[np.bool_]:
        """bool [h, w] -> bool [H, W]: enlarged, without specks."""
        return _enlarged(without_specks(mask, share=self.settings.speck_share), size)

    def _low_resolution(self, mask: RLE, input_size: Sequence[int]) -> NDArray[np.float32]:
        """A mask as the logits that SAM takes for a prompt: float32 [1, 4 G, 4 G], padded as the image is."""
        side = 4 * self.model.prompt_encoder.image_embedding_size[0]
        scale = side / self.model.image_encoder.img_size
        height, width = (max(1, round(scale * length)) for length in input_size)
        grey = Pillow.fromarray(rle.decode(mask).astype(np.uint8) * 255)
        small = np.asarray(grey.resize((width, height), Pillow.Resampling.BILINEAR), np.float32) / 255
        logits = np.full((1, side, side), -CERTAIN, np.float32)
        logits[0, :height, :width] = (2 * small - 1) * CERTAIN
        return logits

    def _distinct(self, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
        codes = [rle.encode(mask["segmentation"]) for mask in found]
        same = iou_matrix(codes, codes) >= self.settings.same_mask_iou
        kept: list[int] = []
        for i in range(len(found)):
            if len(kept) < self.settings.max_proposals and not any(same[i, j] for j in kept):
                kept.append(i)
        return [found[i] for i in kept]


def _pointed_at(prompts: Prompts) -> Prompts:
    """The same with a click on the pixel of the mask that is farthest from its edge, and without the mask."""
    assert prompts.mask is not None
    depth = cv2.distanceTransform(np.pad(rle.decode(prompts.mask), 1).astype(np.uint8), cv2.DIST_L2, 3)
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    middle = np.array([[x - 1, y - 1]], np.float32)
    return replace(
        prompts,
        points=np.concatenate([prompts.points, middle]),
        positive=np.append(prompts.positive, True),
        mask=None,
    )


def _shrunk(pixels: NDArray[np.uint8], longest: int) -> NDArray[np.uint8]:
    """uint8 [H, W, 3] with its longest side at most so long."""
    height, width = pixels.shape[:2]
    factor = longest / max(height, width)
    if factor >= 1:
        return np.array(pixels)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return np.array(Pillow.fromarray(pixels).resize(size, Pillow.Resampling.BILINEAR))


def _enlarged(mask: NDArray[np.bool_], size: Size) -> NDArray[np.bool_]:
    """bool [h, w] -> bool [H, W] of a size at least as large; a mask with pixels keeps some."""
    if mask.shape == size:
        return mask
    grey = Pillow.fromarray(mask.astype(np.uint8) * 255)
    return np.asarray(grey.resize((size[1], size[0]), Pillow.Resampling.BILINEAR)) > 127


def _trust(mask: dict[str, Any]) -> float:
    """The generator's two doubts about one mask in one number."""
    return float(mask["predicted_iou"]) * float(mask["stability_score"])
