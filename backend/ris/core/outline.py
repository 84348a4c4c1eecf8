"""Lossless polygons of masks: the mask is cut into pieces without holes, each with its exact outline.

There are two kinds of readers. COCO's fill the area between the points, so its outlines run along the edges
of the pixels. PhraseCut's draw the points and lines too, so its outlines run through the centres of the
pixels. Both restore every pixel, because no piece has a hole, not even between pixels that touch at a corner.
"""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from ris.core import rle
from ris.core.rle import RLE

Outline = NDArray[np.intp]
"""int [K, 2], x and y in pixels."""


def trace_edge_outlines(mask: RLE) -> list[Outline]:
    """Trace outlines along pixel edges: the pixel (2, 3) gives (2, 3), (2, 4), (3, 4), (3, 3)."""
    return [_trace_edges(piece) + corner for corner, piece in _split_into_pieces(rle.decode_rle(mask))]


def trace_centre_outlines(mask: RLE) -> list[Outline]:
    """Trace outlines through the centres of the outermost pixels.

    An outline has at least two points; that of a single pixel has the same point twice.
    """
    outlines = []
    for corner, piece in _split_into_pieces(rle.decode_rle(mask)):
        points = _find_contour(piece, cv2.CHAIN_APPROX_SIMPLE) + corner
        outlines.append(np.concatenate([points, points]) if len(points) == 1 else points)
    return outlines


def _split_into_pieces(mask: NDArray[np.bool_]) -> Iterator[tuple[NDArray[np.intp], NDArray[np.bool_]]]:
    """Split a mask into connected pieces without holes: (x, y) of the corner and bool [h, w] of each."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    for number in range(1, count):
        x, y, width, height = (int(value) for value in stats[number][:4])
        part = np.asarray(labels[y : y + height, x : x + width] == number)
        for corner, piece in _split_part(part):
            yield corner + np.array([x, y]), piece


def _split_part(part: NDArray[np.bool_]) -> Iterator[tuple[NDArray[np.intp], NDArray[np.bool_]]]:
    """Halve a connected part across its longer side until no half has a hole."""
    outside = np.pad(~part, 1, constant_values=True).astype(np.uint8)
    n_outside, _ = cv2.connectedComponents(outside, connectivity=4)
    if n_outside == 2:  # the label of the part itself, and one of the outside: there is no hole
        yield np.zeros(2, np.intp), part
        return
    height, width = part.shape
    if height >= width:
        halves = ((0, part[: height // 2]), (height // 2, part[height // 2 :]))
        shifts = [(np.array([0, shift]), half) for shift, half in halves]
    else:
        halves = ((0, part[:, : width // 2]), (width // 2, part[:, width // 2 :]))
        shifts = [(np.array([shift, 0]), half) for shift, half in halves]
    for shift, half in shifts:
        for corner, piece in _split_into_pieces(half):
            yield corner + shift, piece


def _find_contour(piece: NDArray[np.bool_], approximation: int) -> Outline:
    found, _ = cv2.findContours(piece.astype(np.uint8), cv2.RETR_EXTERNAL, approximation)
    return np.asarray(found[0].reshape(-1, 2), np.intp)


def _trace_edges(piece: NDArray[np.bool_]) -> Outline:
    """Trace the pixel edges of a piece: each pixel becomes four, so every outline pixel lies at one edge."""
    doubled = np.kron(piece.astype(np.uint8), np.ones((2, 2), np.uint8)).astype(np.bool_)
    points = (_find_contour(doubled, cv2.CHAIN_APPROX_NONE) + 1) // 2
    points = points[np.any(points != np.roll(points, 1, axis=0), axis=1)]
    before, after = points - np.roll(points, 1, axis=0), np.roll(points, -1, axis=0) - points
    turns = before[:, 0] * after[:, 1] != before[:, 1] * after[:, 0]
    return np.asarray(points[turns])
