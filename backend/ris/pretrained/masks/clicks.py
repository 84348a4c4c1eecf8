"""Prompts of an annotator for networks that take clicks, boxes and masks."""

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from ris.core import rle
from ris.core.proposals import Prompts, Proposals
from ris.core.rle import RLE
from ris.core.types import Size
from ris.pretrained.masks.selection import finish_mask
from ris.pretrained.masks.settings import SamSettings

_MAX_LOGIT = 8.0  # probability 0.9997


def replace_mask_by_click(prompts: Prompts) -> Prompts:
    """Replace the mask prompt by a positive click on the pixel of the mask that is farthest from its edge."""
    if prompts.mask is None:
        return prompts
    depth = cv2.distanceTransform(np.pad(rle.decode_rle(prompts.mask), 1).astype(np.uint8), cv2.DIST_L2, 3)
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    middle = np.array([[x - 1, y - 1]], np.float32)
    return replace(
        prompts,
        points=np.concatenate([prompts.points, middle]),
        positive=np.append(prompts.positive, True),
        mask=None,
    )


def to_prompt_logits(mask: RLE, side: int, size: Size) -> NDArray[np.float32]:
    """Convert a mask to the logits that a network takes as a mask prompt.

    Args:
        mask: the mask, at any size.
        side: side of the square map of logits.
        size: (height, width) of the part of the map that shows the image; the rest is padding.

    Returns:
        float32 [1, side, side].
    """
    height, width = size
    grey = Pillow.fromarray(rle.decode_rle(mask).astype(np.uint8) * 255)
    small = np.asarray(grey.resize((width, height), Pillow.Resampling.BILINEAR), np.float32) / 255
    logits = np.full((1, side, side), -_MAX_LOGIT, np.float32)
    logits[0, :height, :width] = (2 * small - 1) * _MAX_LOGIT
    return logits


def make_click_proposals(
    masks: NDArray[np.bool_], predicted_iou: NDArray[np.float32], size: Size, settings: SamSettings
) -> Proposals:
    """Make proposals of a network's masks for one prompt, best predicted IoU first, without empty ones.

    Args:
        masks: bool [k, h, w], at the network's working size.
        predicted_iou: float32 [k].
        size: (height, width) of the image.
        settings: for `finish_mask`.
    """
    order = [int(i) for i in np.argsort(-predicted_iou, kind="stable") if masks[i].any()]
    large = [(mask, predicted_iou[i]) for i in order if (mask := finish_mask(masks[i], size, settings)).any()]
    quality = np.clip([iou for _, iou in large], 0, 1).astype(np.float32)
    return Proposals.from_masks((mask for mask, _ in large), size, quality)
