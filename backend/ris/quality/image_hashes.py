"""Find images that show the same: scaled, compressed again, or a little brighter.

The hash is pHash: the signs of the lowest frequencies of the picture in grey. OpenCV has the transform; the
usual library has no types and brings wavelets that it does not use for this hash.
"""

from collections.abc import Iterable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

_SIDE, _KEPT = 64, 16  # the picture is scaled to 64 x 64; of its frequencies the lowest 16 x 16 are kept
HASH_BITS = _KEPT * _KEPT
MAX_DISTANCE = 20  # bits by which the hashes of two pictures of the same scene may differ
_BANDS = MAX_DISTANCE + 1  # two hashes that differ in so many bits at most are equal in one band at least


def compute_image_hash(pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Compute the perceptual hash, bool [256], of a picture uint8 [H, W, 3] in RGB."""
    grey = cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    lowest = np.asarray(cv2.dct(small)[:_KEPT, :_KEPT], np.float64).ravel()
    return np.asarray(lowest > np.median(lowest[1:]))


def find_similar(hashes: Iterable[NDArray[np.bool_]]) -> Iterator[tuple[int, int, int]]:
    """Yield each picture that is like an earlier one: its number, the nearest earlier one, the distance.

    The hashes are cut into bands, one more than bits may differ: two such hashes have a band in common, and
    only those are compared. Of equal hashes one is kept, so that many equal pictures cost no more.
    """
    known: list[NDArray[np.bool_]] = []
    buckets: list[dict[bytes, list[int]]] = [{} for _ in range(_BANDS)]
    for number, one in enumerate(hashes):
        bands = [np.packbits(band).tobytes() for band in np.array_split(one, _BANDS)]
        candidates = sorted(
            {i for band, bucket in zip(bands, buckets, strict=True) for i in bucket.get(band, ())}
        )
        if candidates:
            distances = (np.array([known[i] for i in candidates]) != one).sum(1)
            best = int(distances.argmin())
            if distances[best] <= MAX_DISTANCE:
                yield number, candidates[best], int(distances[best])
        known.append(one)
        if candidates and not distances.min():
            continue
        for band, bucket in zip(bands, buckets, strict=True):
            bucket.setdefault(band, []).append(number)
