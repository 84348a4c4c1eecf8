"""Edges: the outlines of segments that were found in a shrunk image, found again in a larger one."""

import cv2
import numpy as np
from numpy.typing import NDArray


def shrink_area(pixels: NDArray[np.uint8], longest: int) -> NDArray[np.uint8]:
    """Shrink uint8 [H, W, 3] to a longest side of at most `longest` pixels by averaging."""
    height, width = pixels.shape[:2]
    factor = longest / max(height, width)
    if factor >= 1:
        return np.ascontiguousarray(pixels)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))


def enlarge_labels(labels: NDArray[np.int32], pixels: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Enlarge labels, and move the outlines to the edges of the larger image.

    Pixels near an outline are given anew to one of the segments by flooding from the others. A segment that
    is too thin to have others keeps its place.

    Args:
        labels: int32 [h, w].
        pixels: uint8 [H, W, 3], RGB, at least as large.

    Returns:
        int32 [H, W], with the same labels.

    Source: Meyer's flooding, `cv2.watershed`.
    """
    height, width = pixels.shape[:2]
    if labels.shape == (height, width):
        return labels
    near = cv2.resize(labels.astype(np.float32), (width, height), interpolation=cv2.INTER_NEAREST)
    reach = int(np.ceil(max(height / labels.shape[0], width / labels.shape[1]))) + 1
    window = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    coarse = near.astype(np.int32)
    seeds = np.where(cv2.erode(near, window) == cv2.dilate(near, window), coarse + 1, 0).astype(np.int32)
    has_seed = np.zeros(int(labels.max()) + 2, np.bool_)
    has_seed[np.unique(seeds)] = True
    thin = ~has_seed[coarse + 1]
    seeds[thin] = coarse[thin] + 1
    flooded = cv2.watershed(np.ascontiguousarray(pixels), seeds)
    # The flooding leaves lines of one pixel between segments, and the frame: they go to a neighbour.
    beside = cv2.dilate(flooded.astype(np.float32), np.ones((3, 3), np.uint8)).astype(np.int32)
    found = np.where(flooded > 0, flooded, beside)
    return np.where(found > 0, found - 1, coarse).astype(np.int32)


def enlarge_mask(mask: NDArray[np.bool_], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Enlarge a mask bool [h, w] to bool [H, W] with smooth outlines; one that is not empty stays so."""
    if mask.shape == size:
        return mask
    grey = cv2.resize(mask.astype(np.uint8) * 255, size[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(grey > 127)
