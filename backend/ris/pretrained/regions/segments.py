"""Segments: the smallest regions of an image, and what each looks like."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse
from skimage.segmentation import felzenszwalb

from ris.pretrained.masks.settings import GroupingSettings

_CHANNEL_WEIGHTS = np.array([0.6, 1.0, 1.0])  # of L, a, b: shading changes L, objects change a and b
_HISTOGRAM_BINS = 16
_HISTOGRAM_RANGES = ((0.0, 100.0), (-80.0, 80.0), (-80.0, 80.0))  # of L, a, b


@dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """The n segments of an image. Lengths and areas are pixels of the image that was segmented.

    Attributes:
        labels: int32 [h, w], the segment of each pixel.
        areas: float64 [n].
        colours: float64 [n, 3], mean Lab colour, with L weighted less.
        spreads: float64 [n, 3], standard deviation of the same.
        hues: float64 [n, 3], mean saturation on the axes of the hue's cosine and sine, and mean value.
        centres: float64 [n, 2], y and x as shares of the longer side.
        histograms: float64 [n, 48], pixels by value of L, a and b.
        shared: float64 [n, n], length of the outline that two segments share.
        contrast: float64 [n, n], sum of the gradient along the same.
        frame: float64 [n], length on the frame of the image.
        boxes: int64 [n, 4], XYXY, exclusive end.
    """

    labels: NDArray[np.int32]
    areas: NDArray[np.float64]
    colours: NDArray[np.float64]
    spreads: NDArray[np.float64]
    hues: NDArray[np.float64]
    centres: NDArray[np.float64]
    histograms: NDArray[np.float64]
    shared: NDArray[np.float64]
    contrast: NDArray[np.float64]
    frame: NDArray[np.float64]
    boxes: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.areas)


def find_segments(pixels: NDArray[np.uint8], settings: GroupingSettings) -> NDArray[np.int32]:
    """Divide an image into segments of nearly one colour: int32 [h, w], from 0 without gaps.

    Where there are more than `settings.max_segments`, smaller ones are joined.

    Args:
        pixels: uint8 [h, w, 3], RGB.
        settings: sizes of the segments.

    Source: Felzenszwalb and Huttenlocher, IJCV 2004, in scikit-image.
    """
    smallest = settings.min_segment_px
    while True:
        labels = felzenszwalb(pixels, scale=settings.segment_scale, sigma=0.8, min_size=smallest)
        if labels.max() < settings.max_segments:
            return np.asarray(labels, np.int32)
        smallest *= 2


def describe_segments(pixels: NDArray[np.uint8], labels: NDArray[np.int32]) -> Segments:
    """Measure colours, outlines and places of the segments.

    Args:
        pixels: uint8 [h, w, 3], RGB.
        labels: int32 [h, w], from `find_segments`.
    """
    n = int(labels.max()) + 1
    areas = np.bincount(labels.ravel(), minlength=n).astype(np.float64)
    scaled = pixels.astype(np.float32) / 255
    lab = np.asarray(cv2.cvtColor(scaled, cv2.COLOR_RGB2LAB), np.float32)
    hsv = np.asarray(cv2.cvtColor(scaled, cv2.COLOR_RGB2HSV), np.float32)
    angle = np.deg2rad(hsv[..., 0])
    hues = np.stack([hsv[..., 1] * np.cos(angle), hsv[..., 1] * np.sin(angle), hsv[..., 2]], -1)
    weighted = lab * _CHANNEL_WEIGHTS

    def average(values: NDArray) -> NDArray[np.float64]:
        flat = values.reshape(-1, values.shape[-1])
        sums = [np.bincount(labels.ravel(), column, minlength=n) for column in flat.T]
        return np.stack(sums, 1) / areas[:, None]

    colours = average(weighted)
    spreads = np.sqrt(np.maximum(average(weighted**2) - colours**2, 0))
    shared, contrast = _measure_outlines(labels, compute_gradient(lab), n)
    places = np.moveaxis(np.indices(labels.shape, np.float64), 0, -1)
    slices = ndimage.find_objects(labels + 1)
    return Segments(
        labels=labels,
        areas=areas,
        colours=colours,
        spreads=spreads,
        hues=average(hues),
        centres=average(places) / max(labels.shape),
        histograms=_count_colours(labels, lab, n),
        shared=shared,
        contrast=contrast,
        frame=sum(
            (np.bincount(side, minlength=n).astype(np.float64) for side in
             (labels[0], labels[-1], labels[:, 0], labels[:, -1])),
            np.zeros(n),
        ),
        boxes=np.array([[x.start, y.start, x.stop, y.stop] for y, x in slices], np.int64),
    )  # fmt: skip


def compute_gradient(lab: NDArray[np.float32]) -> NDArray[np.float32]:
    """Compute the length of the colour's gradient: Lab float32 [h, w, 3] -> float32 [h, w], per pixel."""
    smooth = cv2.GaussianBlur(lab, (0, 0), 1.0)
    total = np.zeros(lab.shape[:2], np.float32)
    for channel, weight in enumerate(_CHANNEL_WEIGHTS):
        for dx, dy in ((1, 0), (0, 1)):
            total += (float(weight) / 32 * cv2.Scharr(smooth[..., channel], -1, dx, dy)) ** 2
    return np.sqrt(total)


def _measure_outlines(
    labels: NDArray[np.int32], gradient: NDArray[np.float32], n: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Measure the length of every shared outline and the sum of the gradient on it: float64 [n, n] each."""
    one, two, strength = [], [], []
    for first, second in ((np.s_[:, 1:], np.s_[:, :-1]), (np.s_[1:], np.s_[:-1])):
        differ = labels[first] != labels[second]
        one.append(labels[first][differ])
        two.append(labels[second][differ])
        strength.append(np.maximum(gradient[first][differ], gradient[second][differ]))
    rows, columns, values = np.concatenate(one), np.concatenate(two), np.concatenate(strength)
    length = sparse.coo_matrix((np.ones(len(rows)), (rows, columns)), (n, n)).toarray()
    total = sparse.coo_matrix((values.astype(np.float64), (rows, columns)), (n, n)).toarray()
    return length + length.T, total + total.T


def _count_colours(labels: NDArray[np.int32], lab: NDArray[np.float32], n: int) -> NDArray[np.float64]:
    """Count the pixels of each segment by value of each channel: float64 [n, 3 * bins]."""
    parts = []
    for channel, (low, high) in enumerate(_HISTOGRAM_RANGES):
        share = (lab[..., channel] - low) / (high - low)
        place = np.clip((share * _HISTOGRAM_BINS).astype(np.int64), 0, _HISTOGRAM_BINS - 1)
        flat = (labels * _HISTOGRAM_BINS + place).ravel()
        parts.append(np.bincount(flat, minlength=n * _HISTOGRAM_BINS).reshape(n, _HISTOGRAM_BINS))
    return np.concatenate(parts, 1).astype(np.float64)
