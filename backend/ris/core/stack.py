"""Many masks of one image with one bit per pixel, unpacked one at a time.

As bool arrays 64 masks of a photograph of 12 megapixels would take 768 MB, and no code needs two at once.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class MaskStack:
    """N masks of one size.

    `stack[i]` and iteration give bool [H, W]; `np.asarray(stack)` gives bool [N, H, W].

    Attributes:
        size: (height, width) in pixels.
        packed: N rows of bits, as `np.packbits` makes them.
    """

    size: tuple[int, int]
    packed: tuple[NDArray[np.uint8], ...]

    @classmethod
    def from_masks(cls, masks: Iterable[NDArray[np.bool_]], size: tuple[int, int]) -> "MaskStack":
        """Pack masks bool [H, W], each before the next one is read.

        Raises:
            ValueError: a mask has another shape or dtype.
        """
        packed = []
        for mask in masks:
            if mask.shape != size or mask.dtype != np.bool_:
                raise ValueError(f"a mask must be bool {list(size)}, got {mask.dtype} {list(mask.shape)}")
            packed.append(np.packbits(mask))
        return cls(size, tuple(packed))

    @property
    def shape(self) -> tuple[int, int, int]:
        """(N, H, W)."""
        return len(self.packed), *self.size

    def __len__(self) -> int:
        return len(self.packed)

    def __getitem__(self, number: int) -> NDArray[np.bool_]:
        height, width = self.size
        bits = np.unpackbits(self.packed[number], count=height * width)
        return bits.view(np.bool_).reshape(self.size)

    def __iter__(self) -> Iterator[NDArray[np.bool_]]:
        return (self[number] for number in range(len(self)))

    def __array__(self, dtype: object = None, copy: bool | None = None) -> NDArray[np.bool_]:
        return np.array(list(self), np.bool_).reshape(self.shape)
