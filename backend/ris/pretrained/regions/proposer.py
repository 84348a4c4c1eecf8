"""The proposer without a network: segments are grouped and ranked by objectness."""

import numpy as np
from numpy.typing import NDArray

from ris.core.masks import remove_specks
from ris.core.proposals import Proposals
from ris.core.types import Image
from ris.pretrained.masks.settings import GroupingSettings
from ris.pretrained.regions.edges import enlarge_labels, enlarge_mask, shrink_area
from ris.pretrained.regions.grouping import group_segments
from ris.pretrained.regions.objectness import (
    compute_region_overlaps,
    measure_cues,
    select_regions,
    to_quality,
)
from ris.pretrained.regions.segments import Segments, describe_segments, find_segments


class GroupingProposer:
    """Grouping as `referring.protocols.Proposer`.

    It stores with the scene what `regions.refiner` needs: the image at `click_side`, the labels of the
    segments at `working_side`, and the regions of the trees as packed bits.
    """

    def __init__(self, settings: GroupingSettings) -> None:
        self.settings = settings

    def propose(self, image: Image) -> Proposals:
        """Propose the distinct regions with the highest objectness, best first."""
        settings = self.settings
        small = shrink_area(image.pixels, settings.working_side)
        labels = find_segments(small, settings)
        segments = describe_segments(small, labels)
        regions = group_segments(segments)
        cues = measure_cues(segments, regions)
        share = cues.areas / labels.size
        possible = np.flatnonzero((settings.min_area_share <= share) & (share <= settings.max_area_share))
        kept = possible[
            select_regions(
                cues.score[possible], compute_region_overlaps(segments, regions[possible]),
                number=settings.max_proposals, same_iou=settings.same_mask_iou,
            )
        ]  # fmt: skip
        fine = shrink_area(image.pixels, settings.edge_side)
        outlines = enlarge_labels(labels, fine)
        seen: dict[str, NDArray] = {
            "pixels": shrink_area(image.pixels, settings.click_side),
            "labels": labels.astype(np.int16),
            "regions": np.packbits(regions, 1),
        }
        cleaned = (fill_holes(segments, regions[i], settings.speck_share) for i in kept)
        masks = (enlarge_mask(members[outlines], image.size) for members in cleaned)
        return Proposals.from_masks(masks, image.size, to_quality(cues.score[kept]), seen)


def fill_holes(segments: Segments, members: NDArray[np.bool_], share: float) -> NDArray[np.bool_]:
    """Add the segments in small holes of a region: bool [n] -> bool [n].

    Args:
        segments: n segments.
        members: of the region.
        share: holes below this share of its area are filled.
    """
    filled = remove_specks(members[segments.labels], share=share)
    return np.bincount(segments.labels.ravel(), filled.ravel(), minlength=len(segments)) > segments.areas / 2


def unpack_regions(packed: NDArray[np.uint8], n: int) -> NDArray[np.bool_]:
    """Unpack the regions of a scene: uint8 [K, ceil(n / 8)] -> bool [K, n]."""
    return np.unpackbits(packed, axis=1, count=n).astype(np.bool_)
