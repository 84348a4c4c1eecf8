"""An image with its proposals and each method's features: the slow half, shared by all its expressions."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from backend.core.arrays import read_only
from backend.core.rle import RLE
from backend.core.types import Box, Size


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What `see` gives and `refer` reads; the thing that is cached.

    Attributes:
        digest: of the image.
        size: (height, width) of the image as displayed.
        masks: N proposals as run lengths: dense masks of a large photograph would fill the memory.
        boxes: N boxes, XYXY in pixels.
        quality: float32 [N] in [0, 1].
        features: by the method's name, float32 [N, ...].
    """

    digest: str
    size: Size
    masks: tuple[RLE, ...]
    boxes: tuple[Box, ...]
    quality: NDArray[np.float32]
    features: Mapping[str, NDArray[np.float32]]

    def __post_init__(self) -> None:
        n = len(self.masks)
        object.__setattr__(self, "quality", read_only("quality", self.quality, np.float32, n))
        object.__setattr__(self, "features", MappingProxyType(dict(self.features)))
        if len(self.boxes) != n or any(len(f) != n for f in self.features.values()):
            raise ValueError(f"a scene of {n} masks needs {n} boxes and {n} rows of every feature")

    @property
    def n_bytes(self) -> int:
        """Memory that it holds, roughly: run lengths as Python integers, features as arrays."""
        runs = sum(len(mask.counts) for mask in self.masks)
        return 36 * runs + sum(f.nbytes for f in self.features.values()) + 4096
