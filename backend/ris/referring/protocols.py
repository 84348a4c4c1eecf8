"""Protocols of the networks that the methods use; `ris.pretrained` implements them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ris.core.expression import ParsedExpression
from ris.core.proposals import Prompts, Proposals
from ris.core.tree import Tree
from ris.core.types import Image, MethodScores
from ris.errors import BackendError
from ris.referring.grounding.question import Question, Reply
from ris.referring.grounding.things import Grounding
from ris.referring.scene import Scene


class Proposer(Protocol):
    """Proposes masks without the expression."""

    def propose(self, image: Image) -> Proposals:
        """Propose masks, best quality first; there may be none."""
        ...


class Refiner(Protocol):
    """Makes masks of prompts. It uses the proposer's features of the scene again."""

    def refine(self, scene: Scene, prompts: Prompts) -> Proposals:
        """Make masks for the prompts, e.g. of a part and of its whole; there may be none."""
        ...


class Parser(Protocol):
    """Parses expressions. Any wording is accepted."""

    def parse(self, expression: str) -> ParsedExpression:
        """Find the noun phrases of an expression; its text is lower-cased and its tokens are joined anew."""
        ...

    def parse_tree(self, text: str) -> Tree:
        """Parse a text exactly as written."""
        ...


class Encoder(Protocol):
    """An image-text network. Features are raw, not of unit length.

    Attributes:
        input_size: S; images are S x S.
        grid_size: G; an image has G x G patches.
        n_blocks: number of transformer blocks of the image side.
    """

    input_size: int
    grid_size: int
    n_blocks: int

    def encode_images(self, pictures: NDArray[np.float32]) -> NDArray[np.float32]:
        """Encode normalised images: float32 [N, 3, S, S] -> [N, D]; N may be 0."""
        ...

    def encode_masked(
        self, picture: NDArray[np.float32], grids: NDArray[np.float32], *, first_masked_block: int
    ) -> NDArray[np.float32]:
        """Encode one image N times, each time with its patches multiplied by another mask.

        Args:
            picture: normalised float32 [3, S, S].
            grids: float32 [N, G, G] in [0, 1], the factor of each patch.
            first_masked_block: 0-based; patches are multiplied before this block and before each later one.
                `n_blocks` means never.

        Returns:
            float32 [N, D].
        """
        ...

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Encode T texts: float32 [T, D]."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class AttentionMaps:
    """Attention of a matching network to one image for T texts.

    Attributes:
        attention: float32 [T, heads, L, P], cross-attention probabilities of one layer, after the softmax,
            without the column of the image's class token; rows after the end of a text are 0.
        gradient: the same shape; the gradient of the "match" logit with respect to the attention.
        match: float32 [T], probability that text and image match.
    """

    attention: NDArray[np.float32]
    gradient: NDArray[np.float32]
    match: NDArray[np.float32]


class Matcher(Protocol):
    """An image-text matching network with cross-attention.

    Attributes:
        input_size: S; images are S x S.
        grid_size: G; an image has P = G * G patches.
    """

    input_size: int
    grid_size: int

    def encode_picture(self, picture: NDArray[np.float32]) -> NDArray[np.float32]:
        """Encode a normalised image float32 [3, S, S] for `attend`; slow, needed once per image."""
        ...

    def find_token_spans(self, texts: Sequence[str]) -> list[list[tuple[int, int]]]:
        """Find the characters (start, stop) of each token of each text; (0, 0) for special tokens."""
        ...

    def attend(
        self, encoded: NDArray[np.float32], texts: Sequence[str], kept: NDArray[np.bool_]
    ) -> AttentionMaps:
        """Read T texts with one encoded image.

        Args:
            encoded: from `encode_picture`.
            texts: T texts.
            kept: bool [T, P]; patches that are False get no attention in any layer. The image's class token
                is always kept.
        """
        ...


class Describer(Protocol):
    """A network or a service that describes images.

    Attributes:
        model: its name; cached answers are stored under it.
    """

    model: str

    def look(self, image: Image) -> NDArray:
        """Encode the image for `describe`; needed once per image."""
        ...

    def describe(self, digest: str, looked: NDArray, prompts: Sequence[str]) -> list[str]:
        """Answer each prompt.

        Args:
            digest: of the image; cached answers are stored under it.
            looked: from `look`.
            prompts: the questions; there is one answer for each.

        Raises:
            DescriberError: the describer is down, refuses or is too slow; the message says which.
        """
        ...


class VisionModel(Protocol):
    """A vision-language model that answers questions about pictures.

    Attributes:
        model: its name; cached answers are stored under it.
    """

    model: str

    def ask(self, question: Question) -> Reply:
        """Answer one question.

        Raises:
            EndpointError: the model is down, refuses, is too slow, or may not be called now.
        """
        ...


class Synonyms(Protocol):
    """Near-synonyms of nouns.

    Attributes:
        source: names the rule or the data, in one word.
    """

    source: str

    def is_near(self, one: str, two: str) -> bool:
        """Tell whether two nouns mean nearly the same."""
        ...


class Method(Protocol):
    """One way to score proposals: `see` once per image, then `score` its expressions. It has no state."""

    @property
    def name(self) -> str:
        """The name of the method in settings, scores and reports."""
        ...

    def see(self, image: Image, proposals: Proposals) -> Mapping[str, NDArray]:
        """Compute what depends on the image alone, as arrays by name; among them those of `see_masks`."""
        ...

    def see_masks(self, image: Image, proposals: Proposals) -> Mapping[str, NDArray]:
        """Compute what each proposal has alone, as arrays by name with a row for each proposal.

        It is called again with the late proposals of an expression; their rows are appended.
        """
        ...

    def score(self, scene: Scene, expressions: Sequence[ParsedExpression]) -> list[MethodScores]:
        """Score all N proposals for each expression, from the arrays of `see`."""
        ...


@runtime_checkable
class Locator(Method, Protocol):
    """A method that says where a referent is. Its places become late proposals, see `ris.referring.late`.

    Its `score` uses what `locate` said, from `Scene.located`, and does not ask again.
    """

    def locate(self, scene: Scene, expressions: Sequence[ParsedExpression]) -> list[Grounding | BackendError]:
        """Say for each expression where its referent is, or why that is not known."""
        ...
