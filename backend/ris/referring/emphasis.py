"""Primary word emphasis ("PWEM") of IteRPrimE: one heat map from the attention of all words.

Source: Wang et al., arXiv:2503.00936, the local ("E") and global (repetition) emphasis, and modes 0 to 4 of
the released code.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ris.core.expression import ParsedExpression, Word
from ris.referring.heat import scale_to_unit

_FOCUS_TAGS = frozenset({"NOUN", "VERB", "ADJ", "PROPN", "NUM"})

Emphasis = Literal["full", "all words", "focus words", "repeated", "local only"]


@dataclass(frozen=True, slots=True)
class TokenPositions:
    """Token positions of one text.

    Attributes:
        focus: of the nouns, verbs, adjectives and numbers of the first sentence, in order.
        primary: of the primary word; empty when there is none.
        n_tokens: number of tokens, special tokens included.
    """

    focus: tuple[int, ...]
    primary: tuple[int, ...]
    n_tokens: int


def find_token_positions(
    expression: ParsedExpression, spans: Sequence[tuple[int, int]], *, offset: int
) -> TokenPositions:
    """Find the token positions of the focus words and of the primary word.

    Args:
        expression: its words are looked up.
        spans: for each position the characters of the text, (start, stop); (0, 0) for special tokens.
        offset: index of the expression's first character in the text.
    """

    def find_positions(word: Word) -> tuple[int, ...]:
        start, stop = word.start + offset, word.stop + offset
        return tuple(i for i, (a, b) in enumerate(spans) if a < b and start <= a and b <= stop)

    words = expression.words
    return TokenPositions(
        focus=tuple(
            p
            for word in words[: expression.n_first_sentence]
            if word.pos in _FOCUS_TAGS
            for p in find_positions(word)
        ),
        primary=() if expression.primary is None else find_positions(words[expression.primary]),
        n_tokens=len(spans),
    )


def emphasise_primary_word(
    attention: NDArray[np.float32],
    gradient: NDArray[np.float32],
    positions: TokenPositions,
    emphasis: Emphasis = "full",
) -> NDArray[np.float32]:
    """Make one heat map from the attention of all words, with weight on the primary word.

    Args:
        attention: float32 [heads, L, P], probabilities.
        gradient: the same shape; its negative part is set to 0.
        positions: of the focus words and of the primary word.
        emphasis: "full" is the method, the others are the authors' ablations. "focus words" and "repeated"
            use all words where the text has no focus words.

    Returns:
        float32 [P] in [0, 1].
    """
    a, g = attention[:, : positions.n_tokens], np.maximum(gradient[:, : positions.n_tokens], 0)
    focus, primary = list(positions.focus), list(positions.primary)
    repeated = focus + primary * len(focus)
    if emphasis == "all words" or (emphasis in ("focus words", "repeated") and not focus):
        return scale_to_unit((g * a).mean((0, 1)))
    if emphasis in ("focus words", "repeated"):
        tokens = [0, *(repeated if emphasis == "repeated" else focus)]
        return scale_to_unit((g[:, tokens] * a[:, tokens]).mean((0, 1)))
    if not primary:
        # As in the code: heads are averaged before the product, and with focus words all words are used.
        product = g.mean(0) * a.mean(0)
        return scale_to_unit(product.mean(0) if focus else product[0])
    own_a, own_g = a[:, primary].mean(1), g[:, primary].mean(1)
    others = [o for o in dict.fromkeys(focus) if o not in primary]
    other_a = a[:, others] if others else np.zeros_like(own_a)[:, None]
    away = own_a[:, None] - other_a
    length = np.linalg.norm(away, axis=1, keepdims=True)
    away = away / np.where(length == 0, 1e-8, length)
    stack = [g[:, 0] * a[:, 0], *np.moveaxis(away * (own_g * own_g * own_a)[:, None], 1, 0)]
    stack += [g[:, t] * a[:, t] for t in (repeated if emphasis == "full" else focus)]
    return scale_to_unit(np.mean(stack, 0).mean(0))
