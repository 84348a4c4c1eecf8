"""What the methods ask of the networks: the real ones are in `backend/ris/pretrained`, fakes in `tests/`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ris.core.expression import ParsedExpression
from ris.core.proposals import Prompts, Proposals
from ris.core.tree import Tree
from ris.core.types import Image, MethodScores
from ris.referring.scene import Scene


class Proposer(Protocol):
    """Finds candidate masks without reading the words."""

    def propose(self, image: Image) -> Proposals:
        """Best quality first; may find none."""
        ...


class Refiner(Protocol):
    """Makes masks of what somebody points at; what the proposer saw of the image is used again."""

    def refine(self, scene: Scene, prompts: Prompts) -> Proposals:
        """Some masks for the same prompts, e.g. a part and its whole; may find none."""
        ...


class Parser(Protocol):
    """Reads the grammar of an expression."""

    def parse(self, expression: str) -> ParsedExpression:
        """What the words are about, lower-cased and joined anew. Never raises for odd wording."""
        ...

    def parse_tree(self, text: str) -> Tree:
        """The words exactly as they stand. Never raises for odd wording."""
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


@dataclass(frozen=True, slots=True, eq=False)
class AttentionMaps:
    """How a matching network looked at one image while it read T texts.

    Attributes:
        attention: float32 [T, heads, L, P], cross-attention probabilities of one layer, after the
            softmax, without the column of the image's class token; rows beyond a text's end are 0.
        gradient: the same shape, of the "match" logit by the attention.
        match: float32 [T], probability that text and image belong together.
    """

    attention: NDArray[np.float32]
    gradient: NDArray[np.float32]
    match: NDArray[np.float32]


class Matcher(Protocol):
    """An image-text matching network with cross-attention.

    Attributes:
        input_size: S; pictures are S x S.
        grid_size: G; the picture is cut into G x G patches, P = G * G.
    """

    input_size: int
    grid_size: int

    def encode_picture(self, picture: NDArray[np.float32]) -> NDArray[np.float32]:
        """Normalised float32 [3, S, S] -> whatever `attend` wants of it: the slow half, once an image."""
        ...

    def find_token_spans(self, texts: Sequence[str]) -> list[list[tuple[int, int]]]:
        """Per text and token position, the characters it stands for; (0, 0) for the tokens around them."""
        ...

    def attend(
        self, encoded: NDArray[np.float32], texts: Sequence[str], kept: NDArray[np.bool_]
    ) -> AttentionMaps:
        """Read T texts against one encoded picture.

        Args:
            kept: bool [T, P]; patches that are False get no attention at all, in any layer. The image's
                class token is always kept.
        """
        ...


class Describer(Protocol):
    """A network, or a service, that says something about an image.

    Attributes:
        model: which one, so that what it said can be kept.
    """

    model: str

    def look(self, image: Image) -> NDArray:
        """What `describe` wants of the image: once an image."""
        ...

    def describe(self, digest: str, looked: NDArray, prompts: Sequence[str]) -> list[str]:
        """One answer a prompt.

        Args:
            digest: of the image, for those that remember.

        Raises:
            DescriberError: it cannot be asked; the message says why.
        """
        ...


class Synonyms(Protocol):
    """Whether two nouns mean nearly the same thing.

    Attributes:
        source: what it goes by, in a word.
    """

    source: str

    def is_near(self, one: str, two: str) -> bool: ...


class Method(Protocol):
    """One way of ranking proposals: `see` once an image, `score` its expressions. No state."""

    @property
    def name(self) -> str: ...

    def see(self, image: Image, proposals: Proposals) -> Mapping[str, NDArray]:
        """Everything about the image that no expression changes, as named arrays."""
        ...

    def score(self, scene: Scene, expressions: Sequence[ParsedExpression]) -> list[MethodScores]:
        """The method's opinion of all N proposals, one an expression, from what `see` gave."""
        ...
