"""Select proposals from the masks that a network generated."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from ris.core import rle
from ris.core.masks import compute_inside_matrix, compute_iou_matrix, remove_specks
from ris.core.proposals import Proposals
from ris.core.types import Size
from ris.pretrained.masks.settings import SamSettings


@dataclass(frozen=True, slots=True, eq=False)
class GeneratedMasks:
    """K masks from a grid of clicks.

    Attributes:
        masks: bool [K, h, w], at the network's working size.
        predicted_iou: float32 [K], IoU with the true mask, as the network predicts it.
        stability: float32 [K], IoU of the mask at a higher and at a lower threshold.
    """

    masks: NDArray[np.bool_]
    predicted_iou: NDArray[np.float32]
    stability: NDArray[np.float32]

    def __getitem__(self, kept: NDArray[np.bool_] | NDArray[np.intp]) -> "GeneratedMasks":
        """Select some of the masks by a bool mask or indices."""
        return GeneratedMasks(self.masks[kept], self.predicted_iou[kept], self.stability[kept])

    @property
    def trust(self) -> NDArray[np.float64]:
        """Predicted IoU times stability: float64 [K]."""
        return self.predicted_iou.astype(np.float64) * self.stability


def select_proposals(
    found: GeneratedMasks, settings: SamSettings, size: Size, seen: Mapping[str, NDArray]
) -> Proposals:
    """Select masks by size, trust and overlap, and enlarge them to the image; best first.

    Args:
        found: the generated masks.
        settings: the limits.
        size: (height, width) of the image.
        seen: arrays of the proposer, stored with the proposals for a later refinement.
    """
    found = _drop_contained(_select_by_size(found, settings, size), settings.contained_share)
    found = _drop_duplicates(found[np.argsort(-found.trust, kind="stable")], settings)
    masks = (finish_mask(mask, size, settings) for mask in found.masks)
    return Proposals.from_masks(masks, size, np.clip(found.trust, 0, 1).astype(np.float32), seen)


def finish_mask(mask: NDArray[np.bool_], size: Size, settings: SamSettings) -> NDArray[np.bool_]:
    """Remove specks from a mask bool [h, w] and enlarge it to the image: bool [H, W]."""
    return _enlarge_mask(remove_specks(mask, share=settings.speck_share), size)


def shrink_bilinear(pixels: NDArray[np.uint8], longest: int) -> NDArray[np.uint8]:
    """Shrink uint8 [H, W, 3] to a longest side of at most `longest` pixels, bilinear."""
    height, width = pixels.shape[:2]
    factor = longest / max(height, width)
    if factor >= 1:
        return np.array(pixels)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return np.array(Pillow.fromarray(pixels).resize(size, Pillow.Resampling.BILINEAR))


def _select_by_size(found: GeneratedMasks, settings: SamSettings, size: Size) -> GeneratedMasks:
    areas, area_px = found.masks.sum((1, 2)), found.masks[0].size if len(found.masks) else 1
    floor = settings.min_area_px * area_px / (size[0] * size[1])
    smallest = max(settings.min_area_share * area_px, floor, 1)
    return found[(smallest <= areas) & (areas <= settings.max_area_share * area_px)]


def _drop_contained(found: GeneratedMasks, share: float | None) -> GeneratedMasks:
    """Drop the smaller of two masks when more than `share` of it is inside the larger (LGD's code).

    Masks that are dropped still drop others. Of two equally large masks the later one is dropped.
    """
    if share is None:
        return found
    codes = [rle.encode_rle(mask) for mask in found.masks]
    areas = np.array([code.area_px for code in codes])
    order = np.arange(len(codes))
    is_smaller = (areas[:, None] < areas) | ((areas[:, None] == areas) & (order[:, None] > order))
    return found[~(is_smaller & (compute_inside_matrix(codes, codes) > share)).any(1)]


def _drop_duplicates(found: GeneratedMasks, settings: SamSettings) -> GeneratedMasks:
    codes = [rle.encode_rle(mask) for mask in found.masks]
    same = compute_iou_matrix(codes, codes) >= settings.same_mask_iou
    kept: list[int] = []
    for i in range(len(codes)):
        if len(kept) < settings.max_proposals and not any(same[i, j] for j in kept):
            kept.append(i)
    return found[np.array(kept, np.intp)]


def _enlarge_mask(mask: NDArray[np.bool_], size: Size) -> NDArray[np.bool_]:
    """Enlarge a mask bool [h, w] to bool [H, W]; one that is not empty stays so."""
    if mask.shape == size:
        return mask
    grey = Pillow.fromarray(mask.astype(np.uint8) * 255)
    return np.asarray(grey.resize((size[1], size[0]), Pillow.Resampling.BILINEAR)) > 127
