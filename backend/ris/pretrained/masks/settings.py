"""Settings of mask proposals. Imports no network."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SamSettings:
    """Settings of SAM and SAM 2.1: those of `SamAutomaticMaskGenerator`, and the selection of proposals.

    Attributes:
        working_side: longest side in pixels that larger images are shrunk to; masks are filtered at this size
            and enlarged afterwards. The network has no higher resolution.
        points_per_side: the grid has this number of clicks along each side.
        pred_iou_thresh, stability_score_thresh, box_nms_thresh: as in `SamAutomaticMaskGenerator`.
        max_proposals: largest number of proposals, the best by predicted IoU times stability.
        min_area_share: smallest mask, as a share of the image.
        max_area_share: largest mask, as a share of the image; larger ones are background.
        same_mask_iou: IoU from which two masks are duplicates; the better one is kept.
        speck_share: pieces and holes of a mask below this share of its area are removed and filled, before
            masks are ranked.
        min_mask_region_area_px: as in `SamAutomaticMaskGenerator`, in pixels of the working image: smaller
            pieces and holes are removed, then duplicates.
        min_area_px: smallest mask in pixels of the image, in addition to the share (LGD's code).
        contained_share: the smaller of two masks is dropped when more than this share of it is inside the
            larger; masks that are dropped still drop others (LGD's code, 0.4). None drops none.
        mask_prompts: whether the network was trained on masks as prompts; otherwise a click in the middle of
            the mask replaces it.
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
    """Settings of Mask2Former's proposals.

    Attributes:
        mask_threshold: probability above which a pixel belongs to a query's mask.
        max_proposals: largest number of proposals, the best by class probability times mask probability.
        min_area_px: smallest mask in pixels of the image; 1 keeps every mask that is not empty.
        speck_share: pieces of a mask below this share of its area are removed. 0 keeps them, as IteRPrimE's
            code does, whose rules count the pieces.
        short_side, long_side: an image is resized so that its short side or its long side, whichever limits
            first, has this length in pixels. The published config has 384 x 384; the network was trained with
            800 and 1333, and IteRPrimE's code has these.
    """

    mask_threshold: float = 0.35
    max_proposals: int = 200
    min_area_px: int = 1
    speck_share: float = 0.0
    short_side: int = 800
    long_side: int = 1333


@dataclass(frozen=True, slots=True)
class GroupingSettings:
    """Settings of the proposals without a network.

    Attributes:
        working_side: longest side in pixels at which regions are grouped and ranked.
        edge_side: longest side in pixels at which the outlines are found again; larger images are shrunk to
            it, and their masks enlarged.
        click_side: longest side in pixels of the image that is kept for clicks and boxes.
        cut_side: longest side in pixels of the crop on which GrabCut runs.
        segment_scale, min_segment_px: scale and smallest size of the segments, see
            `skimage.segmentation.felzenszwalb`.
        max_segments: largest number of segments; in an image with more, small ones are joined.
        max_proposals: largest number of proposals, the best by objectness.
        min_area_share, max_area_share: smallest and largest proposal, as shares of the image.
        same_mask_iou: IoU from which two masks are duplicates; the better one is kept.
        speck_share: pieces and holes of a mask below this share of its area are removed and filled.
    """

    working_side: int = 400
    edge_side: int = 2048
    click_side: int = 1024
    cut_side: int = 256
    segment_scale: float = 20.0
    min_segment_px: int = 50
    max_segments: int = 800
    max_proposals: int = 64
    min_area_share: float = 0.003
    max_area_share: float = 0.6
    same_mask_iou: float = 0.75
    speck_share: float = 0.05
