"""From maps of logits to the masks that `SamAutomaticMaskGenerator` keeps, in less time.

Upsampling is two matrix products. Masks are stored as packed bits instead of run lengths. Masks below the
threshold of the predicted IoU are not computed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from segment_anything.utils.amg import batched_mask_to_box, remove_small_regions
from torch import Tensor
from torch.nn import functional
from torchvision.ops import batched_nms

from ris.core.types import Size
from ris.pretrained.linear_ops import fast_matmul
from ris.pretrained.masks.selection import GeneratedMasks
from ris.pretrained.masks.settings import SamSettings

_STABILITY_OFFSET = 1.0  # of a logit; the library's `stability_score_offset`
_REGIONS_NMS_THRESH = 0.7  # lowest, after small regions were removed; the library's `crop_nms_thresh`
_MAX_PIXELS_PER_STEP = 1 << 20  # 4 MB of logits, which fit into the processor's cache


@dataclass(frozen=True, slots=True)
class Upsampler:
    """Enlarges maps of logits to the size of the image: rows @ map @ columns.T, bilinear.

    Attributes:
        rows: float32 [H, h].
        columns: float32 [W, w].
    """

    rows: Tensor
    columns: Tensor

    @classmethod
    def from_padded(cls, map_side: int, network_side: int, input_size: Size, size: Size) -> "Upsampler":
        """Make the upsampler for images that were shrunk and padded to a square (`Sam.postprocess_masks`).

        Args:
            map_side: side of the maps of logits, in pixels.
            network_side: side of the square, in pixels.
            input_size: (height, width) of the image in the square.
            size: (height, width) of the image.
        """
        whole = _interpolate_rows(torch.eye(map_side), network_side)
        rows, columns = (_interpolate_rows(whole[:n], to) for n, to in zip(input_size, size, strict=True))
        return cls(rows, columns)

    @classmethod
    def from_squashed(cls, map_side: int, size: Size) -> "Upsampler":
        """Make the upsampler for images that were resized to a square (SAM 2); `size` is (height, width)."""
        rows, columns = (_interpolate_rows(torch.eye(map_side), to) for to in size)
        return cls(rows, columns)

    def to_device(self, device: torch.device) -> "Upsampler":
        """Move the matrices to a device."""
        return Upsampler(self.rows.to(device), self.columns.to(device))

    def upsample(self, maps: Tensor) -> Tensor:
        """Enlarge float32 [M, h, w] to [M, H, W]."""
        high = fast_matmul(maps.mT.contiguous(), self.rows)
        return fast_matmul(high.mT.contiguous(), self.columns)


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """M masks above the thresholds of predicted IoU and stability.

    Attributes:
        bits: uint8 [M, H, W / 8 rounded up], the masks packed by `numpy.packbits`.
        predicted_iou: float32 [M].
        stability: float32 [M].
        boxes: int64 [M, 4], XYXY in pixels of the image; x2 and y2 are inclusive.
    """

    bits: NDArray[np.uint8]
    predicted_iou: Tensor
    stability: Tensor
    boxes: Tensor


def find_trusted(predicted_iou: Tensor, settings: SamSettings) -> Tensor:
    """Find the masks whose predicted IoU is above the threshold: bool, in the same shape."""
    if settings.pred_iou_thresh <= 0:
        return torch.ones_like(predicted_iou, dtype=torch.bool)
    return predicted_iou > settings.pred_iou_thresh


def select_stable(
    maps: Tensor, predicted_iou: Tensor, upsampler: Upsampler, settings: SamSettings
) -> Candidates:
    """Enlarge maps of logits and keep the masks whose stability reaches the threshold.

    Args:
        maps: float32 [M, h, w], logits.
        predicted_iou: float32 [M].
        upsampler: enlarges the maps to the image.
        settings: has the threshold.
    """
    step = max(1, _MAX_PIXELS_PER_STEP // (len(upsampler.rows) * len(upsampler.columns)))
    parts = [
        _select_stable_part(maps[i : i + step], predicted_iou[i : i + step], upsampler, settings)
        for i in range(0, max(1, len(maps)), step)
    ]
    return _concatenate(parts)


def suppress_duplicates(
    parts: Sequence[Candidates], upsampler: Upsampler, settings: SamSettings
) -> GeneratedMasks:
    """Remove masks with nearly equal boxes by non-maximum suppression; best predicted IoU first."""
    every = _concatenate(parts)
    kept = _apply_nms(every.boxes, every.predicted_iou, settings.box_nms_thresh)
    masks = np.unpackbits(every.bits[kept.cpu().numpy()], axis=-1, count=len(upsampler.columns)).view(
        np.bool_
    )
    found = GeneratedMasks(
        masks, every.predicted_iou[kept].cpu().numpy(), every.stability[kept].cpu().numpy()
    )
    return drop_small_regions(found, settings) if settings.min_mask_region_area_px else found


def drop_small_regions(found: GeneratedMasks, settings: SamSettings) -> GeneratedMasks:
    """Remove small pieces and fill small holes, then remove duplicates by non-maximum suppression.

    Masks that did not change are preferred (`SamAutomaticMaskGenerator.postprocess_small_regions`).
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
    kept = _apply_nms(boxes, torch.tensor(whole), max(settings.box_nms_thresh, _REGIONS_NMS_THRESH)).numpy()
    return GeneratedMasks(np.array(masks)[kept], found.predicted_iou[kept], found.stability[kept])


def _concatenate(parts: Sequence[Candidates]) -> Candidates:
    return Candidates(
        np.concatenate([part.bits for part in parts]),
        torch.cat([part.predicted_iou for part in parts]),
        torch.cat([part.stability for part in parts]),
        torch.cat([part.boxes for part in parts]),
    )


def _select_stable_part(
    maps: Tensor, predicted_iou: Tensor, upsampler: Upsampler, settings: SamSettings
) -> Candidates:
    logits = upsampler.upsample(maps)
    stability, boxes = _measure_stability(logits)
    kept = stability >= settings.stability_score_thresh
    if settings.stability_score_thresh <= 0:
        kept = torch.ones_like(kept)  # empty masks included, whose stability is NaN
    bits = np.packbits((logits > 0)[kept].cpu().numpy(), axis=-1)
    return Candidates(bits, predicted_iou[kept], stability[kept], boxes[kept])


def _measure_stability(logits: Tensor) -> tuple[Tensor, Tensor]:
    """Compute stability, float32 [M], and boxes, int64 [M, 4], of logits [M, H, W], as the library does."""
    above = torch.empty_like(logits)
    certain, possible = (
        torch.gt(logits, offset, out=above).sum(-1).sum(-1, dtype=torch.float64).float()
        for offset in (_STABILITY_OFFSET, -_STABILITY_OFFSET)
    )
    (left, right), (top, bottom) = _find_ends(logits.amax(-2) > 0), _find_ends(logits.amax(-1) > 0)
    return certain / possible, torch.stack([left, top, right, bottom], dim=1)


def _find_ends(occupied: Tensor) -> tuple[Tensor, Tensor]:
    """Find the first and the last True in each row of bool [M, n]; 0 and 0 where there is none."""
    ones = occupied.int()
    last = occupied.shape[1] - 1 - ones.flip(1).argmax(1)
    return ones.argmax(1), last * ones.amax(1)


def _apply_nms(boxes: Tensor, scores: Tensor, threshold: float) -> Tensor:
    """Compute the indices of the boxes that are kept, best score first: int64."""
    kept: Tensor = batched_nms(boxes.float(), scores, torch.zeros_like(scores), threshold)
    return kept


def _interpolate_rows(matrix: Tensor, length: int) -> Tensor:
    """Resize float32 [n, k] to [length, k] along the rows, bilinear, as PyTorch does."""
    size = (length, matrix.shape[1])
    return functional.interpolate(matrix[None, None], size, mode="bilinear", align_corners=False)[0, 0]
