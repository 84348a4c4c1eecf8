"""Mask proposals of a network, and prompts that an annotator gives it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ris.core.arrays import to_read_only
from ris.core.boxes import compute_box
from ris.core.rle import RLE
from ris.core.stack import MaskStack
from ris.core.types import Box, Size


@dataclass(frozen=True, slots=True, eq=False)
class Proposals:
    """N candidate masks of one image, made without the expression, best quality first.

    Attributes:
        masks: N of bool [H, W]; N may be 0; no mask is empty.
        boxes: float32 [N, 4], XYXY in pixels, exclusive end.
        quality: float32 [N] in [0, 1], the proposer's estimate of each mask's quality (SAM: predicted IoU).
        features: what the proposer computed for the image and can use again; arrays by name.

    Raises:
        ValueError: an array has another dtype or shape; the message gives both.
    """

    masks: MaskStack
    boxes: NDArray[np.float32]
    quality: NDArray[np.float32]
    features: Mapping[str, NDArray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n = len(self.masks)
        object.__setattr__(self, "boxes", to_read_only("boxes", self.boxes, np.float32, n, 4))
        object.__setattr__(self, "quality", to_read_only("quality", self.quality, np.float32, n))

    @classmethod
    def from_masks(
        cls,
        masks: Iterable[NDArray[np.bool_]],
        size: Size,
        quality: NDArray[np.float32],
        features: Mapping[str, NDArray] | None = None,
    ) -> "Proposals":
        """Make proposals of masks, with their tight boxes; each mask is packed before the next one is read.

        Args:
            masks: N of bool [H, W].
            size: (height, width) in pixels.
            quality: float32 [N] in [0, 1].
            features: of the proposer, see the class.

        Raises:
            ValueError: a mask is empty or of another size, or there are more or fewer masks than qualities.
        """
        boxes: list[tuple[int, int, int, int]] = []

        def collect_boxes() -> Iterable[NDArray[np.bool_]]:
            for mask in masks:
                boxes.append(compute_box(mask))
                yield mask

        stack = MaskStack.from_masks(collect_boxes(), size)
        return cls(stack, np.array(boxes, np.float32).reshape(-1, 4), quality, features or {})

    def __len__(self) -> int:
        return len(self.masks)


@dataclass(frozen=True, slots=True)
class LateProposal:
    """A mask that was made for one expression, after the proposals of the image.

    Attributes:
        mask: not empty, in the frame of the image as displayed.
        method: the name of the method that said where it is.
    """

    mask: RLE
    method: str


@dataclass(frozen=True, slots=True, eq=False)
class Prompts:
    """Clicks, a box and a mask that an annotator gives the network to get another mask.

    Attributes:
        size: (height, width) of the image as displayed.
        points: float32 [P, 2], x and y in pixels; P may be 0.
        positive: bool [P], whether the point must be inside the mask (True) or outside of it (False).
        box: around the wanted mask; None when none was drawn.
        mask: a mask to start from; None for none.
    """

    size: Size
    points: NDArray[np.float32]
    positive: NDArray[np.bool_]
    box: Box | None = None
    mask: RLE | None = None

    def __post_init__(self) -> None:
        n = len(self.points)
        object.__setattr__(self, "points", to_read_only("points", self.points, np.float32, n, 2))
        object.__setattr__(self, "positive", to_read_only("positive", self.positive, np.bool_, n))
