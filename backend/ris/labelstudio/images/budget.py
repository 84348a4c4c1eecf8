"""The memory for images that are being decoded at the same time. Small images never wait for large ones."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Condition, Lock

from ris.core.types import Image
from ris.labelstudio.images.decoding import ImageHead, decode_image, read_head

_SMALL_BYTES = 512 * 2**20
_BYTES_PER_PX = {"WEBP": 20, "AVIF": 14, "HEIF": 14}  # their decoders make copies; `benchmarks/pictures.py`
_OTHER_BYTES_PER_PX = 8


class DecodingBudget:
    """Decodes images within a budget, which is computed from their heads before anything is decoded.

    Large images, which are shrunk, are decoded one at a time. All other images share bytes of their own.

    Args:
        max_pixels: limit of one image.
        small_bytes: memory for all images that are not large.
    """

    def __init__(self, *, max_pixels: int, small_bytes: int = _SMALL_BYTES) -> None:
        self.max_pixels = max_pixels
        self._small, self._large = _SharedBytes(small_bytes), Lock()

    def decode(self, data: bytes) -> Image:
        """Decode an image as `decode_image` does, as soon as there is memory for it.

        Raises:
            ImageUnreadable: it is no image of a known format, damaged, or over a limit.
        """
        with self.reserve(read_head(data, max_pixels=self.max_pixels)):
            return decode_image(data, max_pixels=self.max_pixels)

    def reserve(self, head: ImageHead) -> AbstractContextManager[object]:
        """Wait for the memory that decoding takes, and hold it until the context ends."""
        return self._large if head.is_large else self._small.reserve(estimate_decoding_bytes(head))


def estimate_decoding_bytes(head: ImageHead) -> int:
    """Estimate the memory that decoding an image takes at its peak."""
    return head.n_pixels * _BYTES_PER_PX.get(head.format, _OTHER_BYTES_PER_PX)


class _SharedBytes:
    """A number of bytes that several threads share, in the order of their arrival."""

    def __init__(self, limit: int) -> None:
        self._limit = self._free = limit
        self._changed, self._turn = Condition(), Lock()

    @contextmanager
    def reserve(self, n_bytes: int) -> Iterator[None]:
        """Hold bytes, at most all of them, until the context ends."""
        n_bytes = min(n_bytes, self._limit)
        with self._turn, self._changed:  # who waits keeps the turn, so that nobody overtakes
            self._changed.wait_for(lambda: self._free >= n_bytes)
            self._free -= n_bytes
        try:
            yield
        finally:
            with self._changed:
                self._free += n_bytes
                self._changed.notify_all()
