"""How masks are proposed: the numbers of a preset, without the networks."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SamSettings:
    """What SAM and SAM 2.1 are asked, as `SamAutomaticMaskGenerator` asks, and what of their masks is kept.

    Attributes:
        working_side: larger images are shrunk to this longest side first, and the masks enlarged again.
            The network sees no more anyway, and masks are judged at this size.
        points_per_side: click a grid of so many by so many points.
        pred_iou_thresh, stability_score_thresh, box_nms_thresh: the generator's own.
        max_proposals: the best so many leave, by predicted IoU times stability.
        min_area_share: of the image; smaller masks are specks.
        max_area_share: of the image; larger masks are the ground, not a thing on it.
        same_mask_iou: of two masks that overlap at least so much only the better one leaves.
        speck_share: of a mask's own area; smaller pieces are cut off it and smaller holes filled, before
            anything is ranked: what annotators see is what was judged.
        min_mask_region_area_px: the generator's own, of the working image: smaller pieces and holes go, and
            masks that are the same without them.
        min_area_px: of the image; an absolute floor beside the share, as LGD's authors have it.
        contained_share: of two masks the smaller one is dropped when more than so much of it lies in the
            larger, all pairs at once, dropped ones included (LGD's authors: 0.4); None drops none.
        mask_prompts: whether the network learned to read a mask as a prompt; without that a point in the
            middle of it stands for it.
    """

    working_side: int
    points_per_side: int
    pred_iou_thresh: float
    stability_score_thresh: float
    box_nms_thresh: float
    max_proposals: int
    min_area_share: float
    max_area_share: float
    same_mask_iou: float
    speck_share: float = 0.01
    min_mask_region_area_px: int = 0
    min_area_px: int = 0
    contained_share: float | None = None
    mask_prompts: bool = True


@dataclass(frozen=True, slots=True)
class QuerySettings:
    """Which of Mask2Former's query masks leave.

    Attributes:
        mask_threshold: a pixel belongs to a query's mask above this probability.
        max_proposals: so many at most, by the probability of their class times that of their pixels.
        min_area_px: smaller masks go; 1 keeps all that have a pixel.
        speck_share: of a mask's own area; smaller pieces are cut off it. 0 leaves them, as IteRPrimE's
            authors do: their rule counts the pieces.
        short_side, long_side: an image is resized until its short side is so long, or its long one, whatever
            comes first: pixels. The published files of the network say 384 x 384; it was trained, and the
            authors run it, with 800 and 1333.
    """

    mask_threshold: float = 0.35
    max_proposals: int = 200
    min_area_px: int = 1
    speck_share: float = 0.0
    short_side: int = 800
    long_side: int = 1333
