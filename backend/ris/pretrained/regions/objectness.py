"""Objectness: how likely a region is an object as a whole, from its colours, outline, size and place."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ris.pretrained.regions.segments import Segments

# Set by hand on the photographs of `benchmarks/photographs.py`, and rounded: doubling or halving any one of
# them changes the mean best IoU of 64 proposals there by less than .05.
_WEIGHTS = {
    "edge": 0.15, "compactness": 0.3, "colour": 0.4, "texture": 0.5, "fill": 0.6, "size": 0.4, "sides": -0.6,
}  # fmt: skip
_USUAL_AREA = 0.05  # share of the image; objects that people refer to are seldom far from it
_RIM = 8.0  # pixels of a neighbour that count as the rim, per pixel of shared outline
# The logistic curve from the score to the expected IoU with the nearest object, fitted on the same.
_MIDDLE, _STEEPNESS = 0.9, 2.5


@dataclass(frozen=True, slots=True, eq=False)
class Cues:
    """Cues of K regions, float64 [K] each.

    Attributes:
        areas: pixels.
        edge: log of the mean gradient on the outline, relative to the median of the regions.
        compactness: square root of 4 pi area / outline^2: 1 for a disc.
        colour: log of 1 + a tenth of the Lab distance to the rim.
        texture: chi-square distance of the colour histograms of the region and of its rim, in [0, 1].
        fill: share of its box that it fills.
        size: minus the distance of the area's log10 from the usual size's.
        sides: share of the four sides of the image that it touches.
    """

    areas: NDArray[np.float64]
    edge: NDArray[np.float64]
    compactness: NDArray[np.float64]
    colour: NDArray[np.float64]
    texture: NDArray[np.float64]
    fill: NDArray[np.float64]
    size: NDArray[np.float64]
    sides: NDArray[np.float64]

    @property
    def score(self) -> NDArray[np.float64]:
        """The weighted sum of the cues."""
        return np.asarray(sum(weight * getattr(self, name) for name, weight in _WEIGHTS.items()))


def to_quality(score: NDArray[np.float64]) -> NDArray[np.float32]:
    """Convert scores to the IoU with an object that they promise, float32 in [0, 1]."""
    return (1 / (1 + np.exp(-_STEEPNESS * (score - _MIDDLE)))).astype(np.float32)


def measure_cues(segments: Segments, members: NDArray[np.bool_]) -> Cues:
    """Measure the cues of regions.

    Args:
        segments: n segments.
        members: bool [K, n], the segments of each region; none is empty.
    """
    inside = members.astype(np.float64)
    areas = inside @ segments.areas
    height, width = segments.labels.shape
    touching = inside @ segments.shared  # [K, n], the outline that each segment shares with the region
    inner = (touching * inside).sum(1)
    length = inside @ segments.shared.sum(1) - inner
    strength = inside @ segments.contrast.sum(1) - ((inside @ segments.contrast) * inside).sum(1)
    edge = strength / np.maximum(length, 1) + 0.1
    outline = (length + inside @ segments.frame) * np.pi / 4  # steps of pixels are longer than curves

    rim = np.minimum(segments.areas, touching * _RIM) * ~members
    weight = np.maximum(rim.sum(1), 1e-9)[:, None]
    distance = (inside * segments.areas) @ segments.colours / areas[:, None] - rim @ segments.colours / weight
    shares = segments.histograms / segments.histograms.sum(1, keepdims=True)
    own = inside @ segments.histograms / (3 * areas[:, None])
    other = rim @ shares / weight
    chi_square = 0.5 * ((own - other) ** 2 / (own + other + 1e-9)).sum(1)

    boxes = find_boxes(segments, members)
    extent = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    on_side = np.stack(
        [boxes[:, 0] == 0, boxes[:, 1] == 0, boxes[:, 2] == width, boxes[:, 3] == height], 1
    )  # fmt: skip
    return Cues(
        areas=areas,
        edge=np.log(edge / np.median(edge)) if len(edge) else edge,
        compactness=np.sqrt(np.clip(4 * np.pi * areas / np.maximum(outline, 1) ** 2, 0, 1)),
        colour=np.log1p(np.sqrt((distance**2).sum(1)) / 10),
        texture=chi_square,
        fill=areas / extent,
        size=-np.abs(np.log10(areas / (height * width * _USUAL_AREA))),
        sides=on_side.mean(1),
    )


def find_boxes(segments: Segments, members: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Find the boxes of regions, bool [K, n]: int64 [K, 4], XYXY, exclusive end."""
    x1, y1, x2, y2 = segments.boxes.T
    height, width = segments.labels.shape
    return np.stack(
        [
            np.where(members, x1, width).min(1), np.where(members, y1, height).min(1),
            np.where(members, x2, 0).max(1), np.where(members, y2, 0).max(1),
        ],
        1,
    )  # fmt: skip


def select_regions(
    score: NDArray[np.float64], overlaps: NDArray[np.float32], *, number: int, same_iou: float
) -> list[int]:
    """Select the best regions without near-duplicates: their indices, best first.

    Args:
        score: float64 [K].
        overlaps: float32 [K, K], IoU.
        number: the largest number.
        same_iou: IoU from which the worse of two regions is dropped.
    """
    kept: list[int] = []
    for i in np.argsort(-score, kind="stable").tolist():
        if len(kept) == number:
            break
        if not kept or overlaps[i, kept].max() < same_iou:
            kept.append(i)
    return kept


def compute_region_overlaps(segments: Segments, members: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Compute the IoU of all pairs of regions, bool [K, n]: float32 [K, K]."""
    inside = members.astype(np.float32)
    common = (inside * segments.areas.astype(np.float32)) @ inside.T
    areas = np.diag(common)
    return np.asarray(common / (areas[:, None] + areas[None] - common), np.float32)
