"""Choose the region that a box, a stroke and clicks mean, from the regions of the trees.

A box, a mask or the first positive click chooses a region; each later click adds a region of the trees to it
or removes one. A click is taken to be near the middle of what it chooses, adds or removes.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ris.core.types import Box
from ris.pretrained.regions.objectness import find_boxes, measure_cues
from ris.pretrained.regions.segments import Segments

_MASK_WEIGHT = 3.0  # of the IoU with a mask to start from, beside the objectness
_BOX_WEIGHT = 6.0  # of the IoU of the region's box with the box that was drawn
_MOST_MEASURED = 50  # regions whose objectness is measured: those that agree best with a box or a mask
_MOSTLY_INSIDE = 0.9  # share of a segment that must be inside the box


@dataclass(frozen=True, slots=True)
class Click:
    """A click on the image that was segmented.

    Attributes:
        x, y: column and row of the pixel.
        positive: whether the pixel must be inside the mask; otherwise it must be outside.
    """

    x: int
    y: int
    positive: bool


@dataclass(frozen=True, slots=True, eq=False)
class RegionTree:
    """Segments and the regions that were grouped of them.

    Attributes:
        segments: n segments.
        regions: bool [K, n], the segments of each region.
    """

    segments: Segments
    regions: NDArray[np.bool_]


def choose_in_box(tree: RegionTree, box: Box) -> NDArray[np.bool_]:
    """Choose the segments that a box means, bool [n]: those mostly inside, or a region that fits it better.

    Args:
        tree: n segments and their regions.
        box: XYXY in pixels of the image that was segmented.
    """
    segments = tree.segments
    rows, columns = np.indices(segments.labels.shape)
    x1, y1, x2, y2 = box
    drawn = (x1 <= columns + 0.5) & (columns + 0.5 < x2) & (y1 <= rows + 0.5) & (rows + 0.5 < y2)
    share = np.bincount(segments.labels.ravel(), drawn.ravel(), minlength=len(segments)) / segments.areas
    whole = share >= min(_MOSTLY_INSIDE, share.max())
    candidates = np.vstack([tree.regions, whole])
    agreement = compute_box_overlaps(find_boxes(segments, candidates), box)
    near = np.argsort(-agreement, kind="stable")[:_MOST_MEASURED]
    return _choose_best(segments, candidates[near], _BOX_WEIGHT * agreement[near])


def choose_under_mask(tree: RegionTree, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Choose the segments that a mask bool [h, w] covers, or a region that is like it: bool [n]."""
    segments = tree.segments
    covered = np.bincount(segments.labels.ravel(), mask.ravel(), minlength=len(segments))
    whole = covered >= min(0.5, (covered / segments.areas).max()) * segments.areas
    candidates = np.vstack([tree.regions, whole])
    common = candidates @ covered
    overlap = common / (candidates @ segments.areas + covered.sum() - common)
    near = np.argsort(-overlap, kind="stable")[:_MOST_MEASURED]
    return _choose_best(segments, candidates[near], _MASK_WEIGHT * overlap[near])


def find_stroke_clicks(tree: RegionTree, stroke: NDArray[np.bool_]) -> list[Click]:
    """Find clicks along a stroke: in each segment with a tenth of it, the pixel deepest inside the stroke.

    None where the stroke fills most of what it touches: it is then a mask and no line.
    """
    labels = tree.segments.labels
    covered = np.bincount(labels.ravel(), stroke.ravel(), minlength=len(tree.segments))
    if covered[covered > tree.segments.areas / 2].sum() > stroke.sum() / 2:
        return []
    depth = cv2.distanceTransform(np.pad(stroke, 1).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
    found = []
    for segment in np.argsort(-covered, kind="stable")[: int((covered >= stroke.sum() / 10).sum())]:
        y, x = np.unravel_index(int((depth * (labels == segment)).argmax()), depth.shape)
        found.append(Click(int(x), int(y), positive=True))
    return found


def follow_clicks(
    tree: RegionTree, start: NDArray[np.bool_] | None, clicks: list[Click]
) -> NDArray[np.bool_] | None:
    """Change a region by clicks, in their order: bool [n].

    Segments with a positive click stay, whatever a negative click in the same segment says: the pixels decide
    later.

    Args:
        tree: n segments and their regions.
        start: bool [n], the region of a box or a mask; None lets the first positive click choose.
        clicks: in the order in which they were made.

    Returns:
        None where there is neither a start nor a positive click.
    """
    labels, region = tree.segments.labels, start
    positive: set[int] = set()
    negative: set[int] = set()
    for click in clicks:
        segment = int(labels[click.y, click.x])
        if click.positive:
            positive.add(segment)
            if region is None or not region[segment]:
                base = np.zeros(len(tree.segments), np.bool_) if region is None else region
                region = _choose_around(tree, base, click, list(negative - positive))
        elif segment not in positive:
            negative.add(segment)
            if region is not None and region[segment]:
                region = _choose_around(tree, region, click, list(positive))
    return region


def _choose_around(
    tree: RegionTree, region: NDArray[np.bool_], click: Click, others: list[int]
) -> NDArray[np.bool_]:
    """Add to a region, or remove from it, the region of the trees that a click means, without the others."""
    segment = int(tree.segments.labels[click.y, click.x])
    around = tree.regions[tree.regions[:, segment] & ~tree.regions[:, others].any(1)]
    changes = np.unique(around & (~region if click.positive else region), axis=0)
    changed = changes | region if click.positive else region & ~changes
    possible = changed.any(1)
    if not possible.any():
        return np.asarray(changed[0])
    central = measure_centrality(tree.segments, changes[possible], click)
    return _choose_best(tree.segments, changed[possible], central)


def _choose_best(
    segments: Segments, candidates: NDArray[np.bool_], agreement: NDArray[np.float64]
) -> NDArray[np.bool_]:
    score = measure_cues(segments, candidates).score + agreement
    return np.asarray(candidates[int(score.argmax())])


def measure_centrality(
    segments: Segments, candidates: NDArray[np.bool_], click: Click
) -> NDArray[np.float64]:
    """Measure how near the middle of regions bool [K, n] a click is: float64 [K] in [0, 1].

    It is the distance to the region's outline, relative to the largest such distance in the region. The frame
    of the image is no outline.
    """
    found = np.zeros(len(candidates))
    for k, members in enumerate(candidates):
        mask = members[segments.labels].astype(np.uint8)
        padded = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
        depth = cv2.distanceTransform(padded, cv2.DIST_L2, 3)[1:-1, 1:-1]
        largest = float(depth.max())  # without an outline, all of the image, the distances are huge
        found[k] = 1.0 if members.all() else depth[click.y, click.x] / largest
    return found


def compute_box_overlaps(boxes: NDArray[np.int64], box: Box) -> NDArray[np.float64]:
    """Compute the IoU of boxes int64 [K, 4] with one box: float64 [K]."""
    x1, y1, x2, y2 = boxes.T.astype(np.float64)
    wide = np.maximum(np.minimum(x2, box[2]) - np.maximum(x1, box[0]), 0)
    high = np.maximum(np.minimum(y2, box[3]) - np.maximum(y1, box[1]), 0)
    both = (x2 - x1) * (y2 - y1) + (box[2] - box[0]) * (box[3] - box[1]) - wide * high
    return np.asarray(wide * high / np.maximum(both, 1e-9))
