"""All masks that SAM sees in an image: `SamAutomaticMaskGenerator` at a quarter of its price, or less."""

import numpy as np
import torch
from numpy.typing import NDArray
from segment_anything.modeling import Sam
from segment_anything.utils.amg import build_point_grid
from segment_anything.utils.transforms import ResizeLongestSide
from torch import Tensor

from ris.core.types import Size
from ris.pretrained.masks.candidates import Frame, distinct, judged, trusted
from ris.pretrained.masks.sam_decoder import attended, ground_of, mask_logits, predicted_iou
from ris.pretrained.masks.sam_encoder import encoded
from ris.pretrained.masks.selection import Found
from ris.pretrained.masks.settings import SamSettings

PROMPTS_AT_ONCE = {"cpu": 4}  # 4 MB a prompt: what the processor's cache holds
MANY = 64  # elsewhere


def embedded(model: Sam, pixels: NDArray[np.uint8]) -> tuple[Tensor, Size]:
    """What SAM sees of an image, as `SamPredictor.set_image` makes it.

    Args:
        pixels: uint8 [H, W, 3], RGB.

    Returns:
        float32 [1, C, G, G], and the (height, width) of the image as the network was given it.
    """
    side = model.image_encoder.img_size
    resized = torch.as_tensor(ResizeLongestSide(side).apply_image(pixels), device=model.device)
    image = model.preprocess(resized.permute(2, 0, 1)[None])
    return encoded(model.image_encoder, image), (resized.shape[0], resized.shape[1])


def generated(model: Sam, embedding: Tensor, input_size: Size, size: Size, settings: SamSettings) -> Found:
    """The masks under a grid of clicks that SAM trusts, best predicted IoU first.

    The library's masks, scores and order, of the whole image only (`crop_n_layers=0`), up to rounding.

    Args:
        embedding, input_size: of `embedded`.
        size: (height, width) of the pixels that were embedded, and of the masks.
    """
    grid = build_point_grid(settings.points_per_side) * np.array(size)[::-1]
    grid = ResizeLongestSide(model.image_encoder.img_size).apply_coords(grid, size)
    points = torch.as_tensor(grid, dtype=torch.float32, device=model.device)[:, None]
    clicks, _ = model.prompt_encoder(points=(points, torch.ones_like(points[..., 0])), boxes=None, masks=None)
    decoder, ground = model.mask_decoder, ground_of(model, embedding)
    map_side = 4 * embedding.shape[-1]
    frame = Frame.of_padded(map_side, model.image_encoder.img_size, input_size, size).on(embedding.device)
    parts = []
    for some in clicks.split(PROMPTS_AT_ONCE.get(embedding.device.type, MANY)):
        tokens, keys = attended(decoder, ground, some)
        scores = predicted_iou(decoder, tokens)
        wanted = trusted(scores, settings)
        maps = mask_logits(decoder, tokens, keys, wanted)
        parts.append(judged(maps, scores[wanted], frame, settings))
    return distinct(parts, frame, settings)
