"""Which of the masks that a network found become proposals."""

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
    """K masks that a grid of clicks gave, in the order in which they were found.

    Attributes:
        masks: bool [K, h, w], of the image as the network was given it.
        predicted_iou, stability: float32 [K], the generator's two doubts about a mask.
    """

    masks: NDArray[np.bool_]
    predicted_iou: NDArray[np.float32]
    stability: NDArray[np.float32]

    def __getitem__(self, kept: NDArray[np.bool_] | NDArray[np.intp]) -> "GeneratedMasks":
        """Some of them."""
        return GeneratedMasks(self.masks[kept], self.predicted_iou[kept], self.stability[kept])

    @property
    def trust(self) -> NDArray[np.float64]:
        """The two doubts in one number: [K]."""
        return self.predicted_iou.astype(np.float64) * self.stability


def select_proposals(
    found: GeneratedMasks, settings: SamSettings, size: Size, seen: Mapping[str, NDArray]
) -> Proposals:
    """The distinct masks of a fitting size that the network trusts most, best first, as large as the image.

    Args:
        size: (height, width) of the image.
        seen: what the proposer keeps of the image.
    """
    found = _drop_contained(_select_by_size(found, settings, size), settings.contained_share)
    found = _drop_duplicates(found[np.argsort(-found.trust, kind="stable")], settings)
    masks = (finish_mask(mask, size, settings) for mask in found.masks)
    return Proposals.from_masks(masks, size, np.clip(found.trust, 0, 1).astype(np.float32), seen)


def finish_mask(mask: NDArray[np.bool_], size: Size, settings: SamSettings) -> NDArray[np.bool_]:
    """bool [h, w] -> bool [H, W]: without specks, enlarged."""
    return _enlarge_mask(remove_specks(mask, share=settings.speck_share), size)


def shrink_bilinear(pixels: NDArray[np.uint8], longest: int) -> NDArray[np.uint8]:
    """uint8 [H, W, 3] with its longest side at most so long."""
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
    """Without the smaller of every two of which more than that share of the smaller lies in the larger.

    A mask that is dropped drops others still, and of two as large as each other the later one goes
    (LGD's authors).
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
    """bool [h, w] -> bool [H, W] of a size at least as large; a mask with pixels keeps some."""
    if mask.shape == size:
        return mask
    grey = Pillow.fromarray(mask.astype(np.uint8) * 255)
    return np.asarray(grey.resize((size[1], size[0]), Pillow.Resampling.BILINEAR)) > 127
