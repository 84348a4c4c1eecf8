"""Bilinear and bicubic resizing of arrays in NumPy, as the networks' authors did it.

Callers always state whether shrinking averages ("antialias") or takes point samples, because that decides
which patches of a mask survive. Bilinear resizing agrees with PyTorch's `interpolate(mode="bilinear",
align_corners=False)` to float precision.
"""

import numpy as np
from numpy.typing import NDArray


def scale_to_shorter_side(size: tuple[int, int], side: int) -> tuple[int, int]:
    """Scale (height, width) so that the shorter side is `side`; the longer one is truncated to whole pixels.

    Source: torchvision's `Resize(side)`.
    """
    # In integers, because `int(n * (side / n))` is one less than `side` for many n.
    height, width = size
    if height <= width:
        return side, int(side * width / height)
    return int(side * height / width), side


def resize(array: NDArray, size: tuple[int, int], *, antialias: bool) -> NDArray[np.float32]:
    """Resize the last two axes.

    Args:
        array: [..., H, W], any real dtype or bool.
        size: (h, w) of the result.
        antialias: average over all source pixels when shrinking (a triangle filter). False interpolates
            between the four pixels around each sample point, as torchvision did before 0.17 on tensors.

    Returns:
        float32 [..., h, w].
    """
    if antialias:
        rows = _make_average_weights(array.shape[-2], size[0]) @ array.astype(np.float32)
        return np.asarray(rows @ _make_average_weights(array.shape[-1], size[1]).T, np.float32)
    rows = _sample_points(array, size[0], axis=-2)
    return _sample_points(rows, size[1], axis=-1)


def _make_average_weights(n_in: int, n_out: int) -> NDArray[np.float32]:
    """Make the weight of each source position in each result: float32 [n_out, n_in], rows sum to 1."""
    scale = n_in / n_out
    support = max(scale, 1.0)
    centre = (np.arange(n_out)[:, None] + 0.5) * scale
    position = np.arange(n_in)[None]
    start = np.floor(np.maximum(centre - support + 0.5, 0))
    stop = np.floor(np.minimum(centre + support + 0.5, n_in))
    weight = np.maximum(1 - np.abs(position + 0.5 - centre) / support, 0)
    weight = np.where((position >= start) & (position < stop), weight, 0)
    return np.asarray(weight / weight.sum(1, keepdims=True), np.float32)


def _sample_points(array: NDArray, n_out: int, *, axis: int) -> NDArray[np.float32]:
    """Interpolate between the two source positions around each sample point."""
    n_in = array.shape[axis]
    # In float32 as in PyTorch, so that the weights agree to the last bit.
    step = np.float32(n_in) / np.float32(n_out)
    source = np.maximum((np.arange(n_out, dtype=np.float32) + np.float32(0.5)) * step - np.float32(0.5), 0)
    first = np.minimum(source.astype(np.intp), n_in - 1)
    second = np.minimum(first + 1, n_in - 1)
    share = (source - first.astype(np.float32)).reshape((-1, 1) if axis == -2 else (-1,))
    blend = array.take(first, axis=axis) * (1 - share) + array.take(second, axis=axis) * share
    return np.asarray(blend, np.float32)


def make_bicubic_weights(n_in: int, n_out: int) -> NDArray[np.float32]:
    """Make the weight of each source position in each result of a bicubic enlargement.

    With these weights `rows @ array @ columns.T` is PyTorch's `interpolate(mode="bicubic",
    align_corners=False)`: cubic convolution with a = -0.75, edges repeated, no averaging.

    Returns:
        float32 [n_out, n_in].
    """
    source = (np.arange(n_out) + 0.5) * (n_in / n_out) - 0.5
    first = np.floor(source).astype(np.intp)
    share = source - first
    weights = np.zeros((n_out, n_in))
    for offset in (-1, 0, 1, 2):
        place = np.clip(first + offset, 0, n_in - 1)
        np.add.at(weights, (np.arange(n_out), place), _compute_cubic_weights(np.abs(share - offset)))
    return weights.astype(np.float32)


def _compute_cubic_weights(distance: NDArray[np.float64], a: float = -0.75) -> NDArray[np.float64]:
    near = ((a + 2) * distance - (a + 3)) * distance**2 + 1
    far = ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a
    return np.where(distance <= 1, near, far)
