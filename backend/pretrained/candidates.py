"""Maps of logits on their way to masks: which `SamAutomaticMaskGenerator` would keep, without its detours.

A map stays as small as the network made it until it is known to be kept. Enlarging it is two products, a
mask is never run-length encoded on the way, and what the predicted IoU refuses is not even made.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from segment_anything.utils.amg import batched_mask_to_box, remove_small_regions
from torch import Tensor
from torch.nn import functional
from torchvision.ops import batched_nms

from backend.core.types import Size
from backend.pretrained.products import times
from backend.pretrained.proposing import SamSettings
from backend.pretrained.selection import Found

STABILITY_OFFSET = 1.0  # the library's own, of a logit
REGIONS_NMS_THRESH = 0.7  # at least, after small regions went: the library's `crop_nms_thresh`
PIXELS_AT_ONCE = 1 << 20  # 4 MB of logits, which a processor's cache can hold


@dataclass(frozen=True, slots=True)
class Frame:
    """How maps become as large as the image: rows @ map @ columns.T, all interpolation in two matrices.

    Attributes:
        rows: float32 [H, h].
        columns: float32 [W, w].
    """

    rows: Tensor
    columns: Tensor

    @classmethod
    def of_padded(cls, map_side: int, network_side: int, input_size: Size, size: Size) -> "Frame":
        """Of images that were shrunk and padded to a square (`Sam.postprocess_masks`).

        Args:
            input_size: (height, width) of the image in the square of `network_side`.
            size: (height, width) of the image.
        """
        whole = _stretched(torch.eye(map_side), network_side)
        rows, columns = (_stretched(whole[:n], to) for n, to in zip(input_size, size, strict=True))
        return cls(rows, columns)

    @classmethod
    def of_squashed(cls, map_side: int, size: Size) -> "Frame":
        """Of images that were made square without care for their shape (SAM 2)."""
        rows, columns = (_stretched(torch.eye(map_side), to) for to in size)
        return cls(rows, columns)

    def on(self, device: torch.device) -> "Frame":
        """The same on a device."""
        return Frame(self.rows.to(device), self.columns.to(device))

    def enlarged(self, maps: Tensor) -> Tensor:
        """float32 [M, h, w] -> [M, H, W]."""
        high = times(maps.mT.contiguous(), self.rows)
        return times(high.mT.contiguous(), self.columns)


@dataclass(frozen=True, slots=True)
class Candidates:
    """M maps that passed so far.

    Attributes:
        maps: float32 [M, h, w], logits.
        predicted_iou: float32 [M], the network's.
        stability: float32 [M], of the masks at the image's size.
        boxes: int64 [M, 4], XYXY in pixels of the image, inclusive end.
    """

    maps: Tensor
    predicted_iou: Tensor
    stability: Tensor
    boxes: Tensor


def trusted(predicted_iou: Tensor, settings: SamSettings) -> Tensor:
    """Which masks are worth making: bool, in the shape of what the network predicts of them."""
    if settings.pred_iou_thresh <= 0:
        return torch.ones_like(predicted_iou, dtype=torch.bool)
    return predicted_iou > settings.pred_iou_thresh


def judged(maps: Tensor, predicted_iou: Tensor, frame: Frame, settings: SamSettings) -> Candidates:
    """Those that stay the same under another threshold.

    Args:
        maps: float32 [M, h, w].
        predicted_iou: float32 [M].
    """
    pixels = len(frame.rows) * len(frame.columns)
    parts = torch.split(maps, max(1, PIXELS_AT_ONCE // pixels))
    measured = [_measured(frame.enlarged(some)) for some in parts]
    stability, boxes = (torch.cat(parts) for parts in zip(*measured, strict=True))
    if settings.stability_score_thresh <= 0:
        return Candidates(maps, predicted_iou, stability, boxes)
    kept = stability >= settings.stability_score_thresh
    return Candidates(maps[kept], predicted_iou[kept], stability[kept], boxes[kept])


def distinct(parts: Sequence[Candidates], frame: Frame, settings: SamSettings) -> Found:
    """The masks that remain when boxes that are nearly the same have gone, best predicted IoU first."""
    boxes = torch.cat([part.boxes for part in parts])
    predicted_iou = torch.cat([part.predicted_iou for part in parts])
    kept = _without_twins(boxes, predicted_iou, settings.box_nms_thresh)
    maps = torch.cat([part.maps for part in parts])[kept]
    masks = np.empty((len(kept), len(frame.rows), len(frame.columns)), np.bool_)
    for mask, logits in zip(masks, maps, strict=True):
        mask[:] = (frame.enlarged(logits) > 0).cpu().numpy()
    stability = torch.cat([part.stability for part in parts])[kept]
    found = Found(masks, predicted_iou[kept].cpu().numpy(), stability.cpu().numpy())
    return without_small_regions(found, settings) if settings.min_mask_region_area_px else found


def without_small_regions(found: Found, settings: SamSettings) -> Found:
    """Without small pieces and holes, and without masks that are the same without them.

    Of two the one that was whole before is kept (`SamAutomaticMaskGenerator.postprocess_small_regions`).
    """
    if not len(found.masks):
        return found
    least, masks, whole = settings.min_mask_region_area_px, [], []
    for mask in found.masks:
        filled, had_holes = remove_small_regions(mask, least, mode="holes")
        cleaned, had_pieces = remove_small_regions(filled, least, mode="islands")
        masks.append(cleaned)
        whole.append(float(not had_holes and not had_pieces))
    boxes = batched_mask_to_box(torch.from_numpy(np.array(masks)))
    kept = _without_twins(
        boxes, torch.tensor(whole), max(settings.box_nms_thresh, REGIONS_NMS_THRESH)
    ).numpy()
    return Found(np.array(masks)[kept], found.predicted_iou[kept], found.stability[kept])


def _measured(logits: Tensor) -> tuple[Tensor, Tensor]:
    """Stability, float32 [M], and boxes, int64 [M, 4], of float32 [M, H, W]: the library's numbers."""
    above = torch.empty_like(logits)
    certain, possible = (
        torch.gt(logits, offset, out=above).sum(-1).sum(-1, dtype=torch.float64).float()
        for offset in (STABILITY_OFFSET, -STABILITY_OFFSET)
    )
    (left, right), (top, bottom) = _ends(logits.amax(-2) > 0), _ends(logits.amax(-1) > 0)
    return certain / possible, torch.stack([left, top, right, bottom], dim=1)


def _ends(occupied: Tensor) -> tuple[Tensor, Tensor]:
    """The first and the last true of bool [M, n]; 0 and 0 where there is none."""
    there = occupied.int()
    last = occupied.shape[1] - 1 - there.flip(1).argmax(1)
    return there.argmax(1), last * there.amax(1)


def _without_twins(boxes: Tensor, scores: Tensor, threshold: float) -> Tensor:
    """Which boxes stay, best score first: int64."""
    kept: Tensor = batched_nms(boxes.float(), scores, torch.zeros_like(scores), threshold)
    return kept


def _stretched(matrix: Tensor, length: int) -> Tensor:
    """float32 [n, k] -> [length, k]: bilinear, as PyTorch does it, along the rows."""
    size = (length, matrix.shape[1])
    return functional.interpolate(matrix[None, None], size, mode="bilinear", align_corners=False)[0, 0]
