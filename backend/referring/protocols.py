"""What the methods ask of the networks: the real ones are in `backend/pretrained`, fakes in `tests/`."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from backend.core.expression import ParsedExpression
from backend.core.types import Image, Proposals, Scored


class Proposer(Protocol):
    """Finds candidate masks without reading the words."""

    def propose(self, image: Image) -> Proposals:
        """Best quality first; may find none."""
        ...


class Parser(Protocol):
    """Reads the grammar of an expression."""

    def parse(self, expression: str) -> ParsedExpression:
        """Never raises for odd wording."""
        ...


class Encoder(Protocol):
    """An image-text network. Features are as the network gives them, not of unit length.

    Attributes:
        input_size: S; pictures are S x S.
        grid_size: G; the picture is cut into G x G patches.
        n_blocks: how many transformer blocks the image side has.
    """

    input_size: int
    grid_size: int
    n_blocks: int

    def encode_images(self, pictures: NDArray[np.float32]) -> NDArray[np.float32]:
        """Normalised float32 [N, 3, S, S] -> [N, D]; N may be 0."""
        ...

    def encode_masked(
        self, picture: NDArray[np.float32], grids: NDArray[np.float32], *, first_masked_block: int
    ) -> NDArray[np.float32]:
        """One picture N times, with all patches outside a mask multiplied away.

        Args:
            picture: normalised float32 [3, S, S].
            grids: float32 [N, G, G] in [0, 1], what each patch is multiplied by.
            first_masked_block: 0-based; the multiplication is repeated before this block and before
                each later one. `n_blocks` means never.

        Returns:
            float32 [N, D].
        """
        ...

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """T texts -> float32 [T, D]."""
        ...


class Method(Protocol):
    """One way of ranking proposals: `see` once an image, `score` once an expression. No state."""

    @property
    def name(self) -> str: ...

    def see(self, image: Image, proposals: Proposals) -> NDArray[np.float32]:
        """Everything about the image that no expression changes: float32 [N, ...]."""
        ...

    def score(self, features: NDArray[np.float32], expression: ParsedExpression) -> Scored:
        """The method's opinion of all N proposals, from what `see` gave."""
        ...
