"""SAM: loading, proposals, and masks from clicks."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from segment_anything import SamPredictor, sam_model_registry
from segment_anything.modeling import ImageEncoderViT, MaskDecoder, PromptEncoder, Sam, TwoWayTransformer

from ris.core.proposals import Prompts, Proposals
from ris.core.rle import RLE
from ris.core.types import Image
from ris.errors import WeightsError
from ris.pretrained.linear_ops import find_linear_layers, pack_layers
from ris.pretrained.linear_speed import LinearSpeeds
from ris.pretrained.masks.clicks import make_click_proposals, replace_mask_by_click, to_prompt_logits
from ris.pretrained.masks.sam_generator import embed_image, generate_masks
from ris.pretrained.masks.selection import select_proposals, shrink_bilinear
from ris.pretrained.masks.settings import SamSettings
from ris.referring.scene import PROPOSER_KEY, Scene


def build_sam(config: dict[str, Any]) -> Sam:
    """Build a SAM with the sizes in `config.json` and PyTorch's initial weights."""
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


def load_sam(
    folder: Path, *, device: str = "cpu", builders: Mapping[str, Callable[[], Sam]] = sam_model_registry
) -> Sam:
    """Load the SAM in a folder: a published checkpoint, or `config.json` and `model.safetensors`.

    Args:
        folder: has one file `sam_vit_b*.pth` (or `l`, `h`), as published, or the two other files.
        device: where it runs.
        builders: the functions that build the network of a published file, by "vit_b" and so on.

    Raises:
        WeightsError: a file is missing, damaged, lacks weights, or does not fit the other.
    """
    published = sorted(folder.glob("sam_vit_*.pth"))
    if len(published) > 1:
        names = ", ".join(path.name for path in published)
        raise WeightsError(f"{folder} has {len(published)} SAM models ({names}); keep one of them")
    try:
        model = _load_published(published[0], builders) if published else _load_embedded(folder)
    except WeightsError:
        raise
    except Exception as error:  # safetensors, json, pickle and torch have errors of their own
        reason = " ".join(str(error).split())[:300]
        raise WeightsError(f"the SAM model in {folder} is damaged: {reason}; install it again") from error
    return model.to(device)


def _load_embedded(folder: Path) -> Sam:
    for name in ("config.json", "model.safetensors"):
        if not (folder / name).is_file():
            raise WeightsError(f"the SAM model lacks {folder / name}; install the package again")
    model = build_sam(json.loads((folder / "config.json").read_text()))
    state = load_file(folder / "model.safetensors")
    model.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in state.items()})
    return model


def _load_published(path: Path, builders: Mapping[str, Callable[[], Sam]]) -> Sam:
    name = "_".join(path.stem.split("_")[1:3])
    if name not in builders:
        known = ", ".join(sorted(builders))
        raise WeightsError(
            f"the name {path.name} has none of the known SAM models ({known}); rename the file"
        )
    model = builders[name]()
    model.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return model.eval()


def pack_sam(model: Sam, speeds: LinearSpeeds) -> None:
    """Pack the weights of a SAM, in place, where that is faster on this machine.

    Our decoder reads some of its small weights; the encoder's are only called.
    """
    pack_layers(find_linear_layers(model.image_encoder), speeds)
    pack_layers(find_linear_layers(model.mask_decoder), speeds, keeps_weights=True)


class SamProposer:
    """SAM as `referring.protocols.Proposer`, and through `SamPredictor` as `Refiner`."""

    def __init__(self, model: Sam, settings: SamSettings) -> None:
        self.model, self.settings = model, settings

    @torch.inference_mode()
    def propose(self, image: Image) -> Proposals:
        """Propose the distinct masks with the highest trust, best first."""
        pixels = shrink_bilinear(image.pixels, self.settings.working_side)
        size = (pixels.shape[0], pixels.shape[1])
        embedding, input_size = embed_image(self.model, pixels)
        found = generate_masks(self.model, embedding, input_size, size, self.settings)
        seen = {
            "embedding": embedding[0].cpu().numpy(),
            "sizes": np.array([*size, *input_size], np.int64),
        }
        return select_proposals(found, self.settings, image.size, seen)

    @torch.inference_mode()
    def refine(self, scene: Scene, prompts: Prompts) -> Proposals:
        """Make SAM's three masks for the prompts, best predicted IoU first, without empty ones.

        Args:
            scene: scene of an image that this proposer has processed.
            prompts: in pixels of the image.
        """
        seen = scene.features[PROPOSER_KEY]
        height, width, *input_size = (int(value) for value in seen["sizes"])
        predictor = SamPredictor(self.model)
        predictor.features = torch.from_numpy(seen["embedding"].copy())[None].to(predictor.device)
        predictor.original_size, predictor.input_size = (height, width), tuple(input_size)
        predictor.is_image_set = True
        shrink = np.array([width / scene.size[1], height / scene.size[0]])
        if not self.settings.mask_prompts:
            prompts = replace_mask_by_click(prompts)
        box = None if prompts.box is None else np.array(prompts.box) * np.tile(shrink, 2)
        masks, predicted_iou, _ = predictor.predict(
            point_coords=prompts.points * shrink if len(prompts.points) else None,
            point_labels=prompts.positive.astype(np.int64) if len(prompts.points) else None,
            box=box,
            mask_input=None if prompts.mask is None else self._to_mask_input(prompts.mask, input_size),
        )
        return make_click_proposals(masks, predicted_iou, scene.size, self.settings)

    def _to_mask_input(self, mask: RLE, input_size: Sequence[int]) -> NDArray[np.float32]:
        """Convert a mask to SAM's mask prompt: logits float32 [1, 4 G, 4 G], padded as the image is."""
        side = 4 * self.model.prompt_encoder.image_embedding_size[0]
        scale = side / self.model.image_encoder.img_size
        height, width = (max(1, round(scale * length)) for length in input_size)
        return to_prompt_logits(mask, side, (height, width))
