"""The refiner without a network: the region that is pointed at, cut out by GrabCut on a crop."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ris.core import rle
from ris.core.boxes import compute_box
from ris.core.masks import remove_specks
from ris.core.proposals import Prompts, Proposals
from ris.core.types import Box, Size
from ris.pretrained.masks.settings import GroupingSettings
from ris.pretrained.regions.choosing import (
    Click,
    RegionTree,
    choose_in_box,
    choose_under_mask,
    compute_box_overlaps,
    find_stroke_clicks,
    follow_clicks,
)
from ris.pretrained.regions.cropping import Crop, crop_around
from ris.pretrained.regions.edges import enlarge_labels, enlarge_mask
from ris.pretrained.regions.grabcut import cut_out, keep_largest, make_band
from ris.pretrained.regions.objectness import measure_cues, to_quality
from ris.pretrained.regions.proposer import fill_holes, unpack_regions
from ris.pretrained.regions.segments import describe_segments
from ris.referring.scene import PROPOSER_KEY, Scene

_GOOD_BOX_IOU = 0.85  # of the result's box with the box that was drawn
_CROP_MARGIN = 0.4  # of the region's longer side; the colours outside are estimated there


@dataclass(frozen=True, slots=True, eq=False)
class _Pointed:
    """What the annotator pointed at, in the frame of one size of the image.

    Attributes:
        clicks: in the order in which they were made.
        box: around the wanted mask; None where none was drawn.
        mask: bool [h, w], to start from; None for none.
        stroke: bool [h, w], painted pixels, which stay inside; None for none.
    """

    clicks: list[Click]
    box: Box | None
    mask: NDArray[np.bool_] | None
    stroke: NDArray[np.bool_] | None


class GrabCutRefiner:
    """GrabCut as `referring.protocols.Refiner`, for scenes of `GroupingProposer`."""

    def __init__(self, settings: GroupingSettings) -> None:
        self.settings = settings

    def refine(self, scene: Scene, prompts: Prompts) -> Proposals:
        """Make one mask for the prompts; none where only negative clicks are given.

        The pixels of positive clicks and of a stroke are inside the mask, those of negative clicks are
        outside. A pixel with both is outside.

        Args:
            scene: scene of an image that the proposer has processed.
            prompts: in pixels of the image.
        """
        seen = scene.features[PROPOSER_KEY]
        pixels, labels = seen["pixels"], seen["labels"].astype(np.int32)
        shape = (labels.shape[0], labels.shape[1])
        small = np.asarray(cv2.resize(pixels, shape[::-1], interpolation=cv2.INTER_AREA), np.uint8)
        segments = describe_segments(small, labels)
        tree = RegionTree(segments, unpack_regions(seen["regions"], len(segments)))
        pointed = _read_prompts(prompts, shape)
        region = _choose_region(tree, pointed)
        if region is None or not region.any():
            return Proposals.from_masks((), scene.size, np.zeros(0, np.float32))
        region = fill_holes(segments, region, self.settings.speck_share)
        mask = self._cut_out(pixels, region[labels], pointed, prompts)
        mask = _obey_prompts(enlarge_mask(mask, scene.size), prompts)
        if not mask.any():
            return Proposals.from_masks((), scene.size, np.zeros(0, np.float32))
        return Proposals.from_masks(
            [mask], scene.size, to_quality(measure_cues(segments, region[None]).score)
        )

    def _cut_out(
        self, pixels: NDArray[np.uint8], region: NDArray[np.bool_], pointed: _Pointed, prompts: Prompts
    ) -> NDArray[np.bool_]:
        """Cut the region out of the image at `click_side`, on a crop: bool [h, w] of that size."""
        size = (pixels.shape[0], pixels.shape[1])
        frame = (region.shape[0], region.shape[1])
        crop = crop_around(_find_extent(region, pointed), frame, margin=_CROP_MARGIN)
        rows, columns = crop.get_slices(size)
        whole = (rows.stop - rows.start, columns.stop - columns.start)
        factor = min(1.0, self.settings.cut_side / max(whole))
        small = (max(1, round(whole[0] * factor)), max(1, round(whole[1] * factor)))
        found = _cut_crop(crop, small, pixels, region, _read_prompts(prompts, size))
        mask = np.zeros(size, np.bool_)
        fine = enlarge_labels(found.astype(np.int32), pixels[rows, columns]) > 0
        mask[rows, columns] = remove_specks(fine, share=self.settings.speck_share)
        return mask


def _choose_region(tree: RegionTree, pointed: _Pointed) -> NDArray[np.bool_] | None:
    clicks, start = pointed.clicks, None
    if pointed.stroke is not None and pointed.stroke.any():
        along = find_stroke_clicks(tree, pointed.stroke)
        start = None if along else choose_under_mask(tree, pointed.stroke)
        clicks = [*along, *clicks]
    elif pointed.box is not None:
        start = choose_in_box(tree, pointed.box)
    elif pointed.mask is not None and pointed.mask.any():
        start = choose_under_mask(tree, pointed.mask)
    return follow_clicks(tree, start, clicks)


def _cut_crop(
    crop: Crop, size: Size, pixels: NDArray[np.uint8], region: NDArray[np.bool_], pointed: _Pointed
) -> NDArray[np.bool_]:
    """Cut out the region on the crop: bool of `size`. `pointed` is in the frame of `pixels`."""
    frame = (pixels.shape[0], pixels.shape[1])
    part, likely = crop.cut(pixels, size), crop.cut(region, size)
    sure = _mark_clicks(crop, frame, size, [c for c in pointed.clicks if c.positive])
    if pointed.stroke is not None:
        sure |= crop.cut(pointed.stroke, size)
    never = _mark_clicks(crop, frame, size, [c for c in pointed.clicks if not c.positive])
    box = None if pointed.box is None else _mark_box(crop, frame, size, pointed.box)
    if box is not None and not pointed.clicks:
        found = keep_largest(cut_out(part, box, sure, never | ~box))
        if found.any() and _compute_box_agreement(found, box) > _GOOD_BOX_IOU:
            return found
    if box is not None:
        likely = likely & (box | sure) if (likely & box).any() else box
        never = never | ~(box | sure)
    inside, outside = make_band(likely)
    return cut_out(part, likely, sure | inside, never | (outside & ~sure))


def _read_prompts(prompts: Prompts, size: Size) -> _Pointed:
    """Bring prompts into the frame of an image of another size."""
    scale = np.array([size[1] / prompts.size[1], size[0] / prompts.size[0]])
    places = np.floor(prompts.points * scale).astype(np.int64)
    places = np.clip(places, 0, np.array([size[1] - 1, size[0] - 1]))
    clicks = [
        Click(int(x), int(y), bool(positive))
        for (x, y), positive in zip(places, prompts.positive, strict=True)
    ]
    mask = None if prompts.mask is None else _shrink_mask(rle.decode_rle(prompts.mask), size)
    if mask is not None and prompts.box is not None:
        return _Pointed(clicks, None, None, mask)
    box = None
    if prompts.box is not None:
        inside = np.clip(prompts.box, 0, np.tile(prompts.size[::-1], 2))
        x1, y1, x2, y2 = (inside * np.tile(scale, 2)).tolist()
        # A box smaller than a pixel is one around that pixel.
        left, top = min(int(x1), size[1] - 1), min(int(y1), size[0] - 1)
        box = (min(x1, left + 0.5), min(y1, top + 0.5), max(x2, left + 0.6), max(y2, top + 0.6))
    return _Pointed(clicks, box, mask, None)


def _shrink_mask(mask: NDArray[np.bool_], size: Size) -> NDArray[np.bool_]:
    """Shrink a mask; a pixel is inside when any part of it is, because strokes are thin."""
    grey = cv2.resize(mask.astype(np.float32), size[::-1], interpolation=cv2.INTER_AREA)
    return np.asarray(grey > 0)


def _find_extent(region: NDArray[np.bool_], pointed: _Pointed) -> Box:
    """Find the box around everything that matters: the region, the clicks, the stroke, the box."""
    boxes: list[Box] = [compute_box(region), *((c.x, c.y, c.x + 1, c.y + 1) for c in pointed.clicks)]
    if pointed.box is not None:
        boxes.append(pointed.box)
    if pointed.stroke is not None and pointed.stroke.any():
        boxes.append(compute_box(pointed.stroke))
    lows, highs = np.array(boxes, np.float64)[:, :2].min(0), np.array(boxes, np.float64)[:, 2:].max(0)
    return float(lows[0]), float(lows[1]), float(highs[0]), float(highs[1])


def _mark_clicks(crop: Crop, frame: Size, size: Size, clicks: list[Click]) -> NDArray[np.bool_]:
    """Mark clicks in the frame of the image as small discs in the crop: bool of `size`."""
    marked = np.zeros(size, np.uint8)
    rows, columns = crop.get_slices(frame)
    for click in clicks:
        x = (click.x + 0.5 - columns.start) * size[1] / (columns.stop - columns.start)
        y = (click.y + 0.5 - rows.start) * size[0] / (rows.stop - rows.start)
        cv2.circle(marked, (int(x), int(y)), 1, 1, -1)
    return marked.astype(np.bool_)


def _mark_box(crop: Crop, frame: Size, size: Size, box: Box) -> NDArray[np.bool_]:
    """Mark the pixels of the crop whose middle is inside a box: bool of `size`."""
    rows, columns = crop.get_slices(frame)
    y = rows.start + (np.arange(size[0]) + 0.5) * (rows.stop - rows.start) / size[0]
    x = columns.start + (np.arange(size[1]) + 0.5) * (columns.stop - columns.start) / size[1]
    return np.outer((box[1] <= y) & (y < box[3]), (box[0] <= x) & (x < box[2]))


def _compute_box_agreement(mask: NDArray[np.bool_], box: NDArray[np.bool_]) -> float:
    x1, y1, x2, y2 = compute_box(box)
    return float(compute_box_overlaps(np.array([compute_box(mask)]), (x1, y1, x2, y2))[0])


def _obey_prompts(mask: NDArray[np.bool_], prompts: Prompts) -> NDArray[np.bool_]:
    """Put the pixels of positive clicks and of a stroke inside, then those of negative clicks outside."""
    drawn = mask.astype(np.uint8)
    limits = np.array([mask.shape[1] - 1, mask.shape[0] - 1])
    places = np.clip(np.floor(prompts.points).astype(np.int64), 0, limits)
    radius = max(1, max(mask.shape) // 400)
    if prompts.mask is not None and prompts.box is not None:
        drawn |= rle.decode_rle(prompts.mask).astype(np.uint8)
    for wanted, value in ((True, 1), (False, 0)):
        for x, y in places[prompts.positive == wanted].tolist():
            cv2.circle(drawn, (x, y), radius, value, -1)
    for wanted, value in ((True, 1), (False, 0)):  # discs of near clicks overlap
        x, y = places[prompts.positive == wanted].T
        drawn[y, x] = value
    return drawn.astype(np.bool_)
