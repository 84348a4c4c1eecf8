"""Scenes: an image's proposals and each method's features, shared by all expressions of the image."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from ris.core.arrays import to_read_only
from ris.core.proposals import LateProposal
from ris.core.rle import RLE
from ris.core.types import Box, Size
from ris.errors import BackendError
from ris.referring.grounding.things import Grounding

PROPOSER_KEY = "proposer"


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """The result of `see` and the input of `refer`; it is cached.

    Attributes:
        digest: of the image.
        size: (height, width) of the image as displayed.
        masks: N proposals as run lengths, because dense masks of a large photograph would fill the memory.
        boxes: N boxes, XYXY in pixels.
        quality: float32 [N] in [0, 1].
        features: by the method's name, its arrays of the image by name; those of the proposer are under
            `PROPOSER_KEY`.
        late: of each of the last proposals, the method that said where it is, see `ris.referring.late`.
            Empty in the scene of `see`, which all expressions share.
        joint: indices of late proposals that are several things together.
        located: by the method's name, what it said of where the referent is, or why it failed. Empty in the
            scene of `see`.

    Raises:
        ValueError: boxes or qualities are not N.
    """

    digest: str
    size: Size
    masks: tuple[RLE, ...]
    boxes: tuple[Box, ...]
    quality: NDArray[np.float32]
    features: Mapping[str, Mapping[str, NDArray]]
    late: tuple[str, ...] = ()
    joint: tuple[int, ...] = ()
    located: Mapping[str, Grounding | BackendError] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n = len(self.masks)
        object.__setattr__(self, "quality", to_read_only("quality", self.quality, np.float32, n))
        features = {method: MappingProxyType(dict(seen)) for method, seen in self.features.items()}
        object.__setattr__(self, "features", MappingProxyType(features))
        if len(self.boxes) != n:
            raise ValueError(f"a scene of {n} masks needs {n} boxes, got {len(self.boxes)}")

    @property
    def n_early(self) -> int:
        """The number of proposals that all expressions of the image share; the late ones follow."""
        return len(self.masks) - len(self.late)

    @property
    def late_proposals(self) -> tuple[LateProposal, ...]:
        """The late proposals with their methods."""
        late = zip(self.masks[self.n_early :], self.late, strict=True)
        return tuple(LateProposal(mask, method) for mask, method in late)

    @property
    def n_bytes(self) -> int:
        """Its approximate memory in bytes: run lengths as Python integers, features as arrays."""
        runs = sum(len(mask.counts) for mask in self.masks)
        arrays = [array for seen in self.features.values() for array in seen.values()]
        return 36 * runs + sum(array.nbytes for array in arrays) + 4096
