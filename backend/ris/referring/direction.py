"""Direction words: the side of the image that an expression names, and the rectifier that uses it.

There are two rules. `find_released_direction` is the rule of LGD's released code. It uses a direction only
where the head's expanded phrase is the noun phrase itself and there are superlatives or relations, but not
both. It then looks for parts of words, so that a laptop is at the top, and it does not know "bottom".
`find_plain_direction` is our own rule: whole words that belong to the referent alone. Results with our rule
are not results of LGD.
"""

import numpy as np
from numpy.typing import NDArray

from ris.core.expression import ParsedExpression
from ris.core.tree import Tree
from ris.referring.entities import ABOVE, BELOW, LEFT, RIGHT, Entity, read_entity

_VERTICAL_WORDS = {
    "top": frozenset({"above", "top", "topmost", "north", "upper", "highest"}),
    "bottom": frozenset({"below", "bottom", "south", "under", "underneath", "beneath", "lower", "lowest"}),
}
_HORIZONTAL_WORDS = {
    "left": frozenset({"left", "leftmost", "west", "western"}),
    "right": frozenset({"right", "rightmost", "east", "eastern"}),
}


def find_released_direction(tree: Tree) -> tuple[str, str]:
    """Find the side by the rule of LGD's released code: ("top", "left"), ("", "right"), ("", "").

    Args:
        tree: of the expression in lower case, otherwise as written.
    """
    entity = read_entity(tree)
    if entity is None or entity.head != tree.noun_phrase:
        return "", ""
    if entity.has_superlative and not entity.relations:
        return _find_vertical(tree.text, below="underneath"), _find_horizontal(tree.text)
    if entity.relations and not entity.has_superlative:
        return _find_relation_side(entity, tree.text)
    return "", ""


def _find_relation_side(entity: Entity, text: str) -> tuple[str, str]:
    """Find the side of the last relation whose words refer to the image and not to another thing."""
    side = ("", "")
    for between, thing in entity.relations:
        word = next((w for w in between if w in (*LEFT, *RIGHT, *ABOVE, *BELOW)), None)
        if word is None or (thing != entity.head and word not in thing):
            continue
        if word in LEFT or word in RIGHT:
            side = _find_vertical(text, below="under"), "left" if word in LEFT else "right"
        else:
            side = "top" if word in ABOVE else "bottom", _find_horizontal(text)
    return side


def _find_vertical(text: str, *, below: str) -> str:
    if any(part in text for part in ABOVE):
        return "top"
    return "bottom" if any(part in text for part in ("below", "south", below)) else ""


def _find_horizontal(text: str) -> str:
    if any(part in text for part in LEFT):
        return "left"
    return "right" if any(part in text for part in RIGHT) else ""


def find_plain_direction(expression: ParsedExpression) -> tuple[str, str]:
    """Find the side by our own rule, in whole words: ("top", "left"), ("", "right"), ("", "").

    A direction counts when it belongs to the referent alone: inside its noun phrase ("the left mug"), or
    after it with no other thing to relate to ("mug on the left", "mug at the top of the picture").
    """
    directions = [
        word
        for word in expression.words
        if _find_side(word.text, _VERTICAL_WORDS) or _find_side(word.text, _HORIZONTAL_WORDS)
    ]
    others = [p for p in expression.landmarks if not _is_side_phrase(p)]
    subject = set(expression.subject.split())
    if others:
        directions = [word for word in directions if word.text in subject]
    found = [
        next((s for w in directions if (s := _find_side(w.text, sides))), "")
        for sides in (_VERTICAL_WORDS, _HORIZONTAL_WORDS)
    ]
    return found[0], found[1]


def _find_side(word: str, sides: dict[str, frozenset[str]]) -> str:
    return next((side for side, words in sides.items() if word in words), "")


_FRAME_WORDS = {
    "the", "a", "of", "in", "on", "at", "side", "part", "half", "corner", "edge", "end", "middle", "center",
    "picture", "image", "photo", "photograph",
}  # fmt: skip


def _is_side_phrase(phrase: str) -> bool:
    return all(
        w in _FRAME_WORDS or _find_side(w, _VERTICAL_WORDS) or _find_side(w, _HORIZONTAL_WORDS)
        for w in phrase.split()
    )


def rectify_scores(
    scores: NDArray[np.float32], centroids: NDArray[np.float32], side: tuple[str, str]
) -> tuple[NDArray[np.float32], str]:
    """Put the best mask of the named side first (LGD's spatial rectifier).

    Masks are divided into quarters by the medians of their centres; strictly below the median is top or left.
    Of two quarters with equal best scores the second wins.

    Args:
        scores: float32 [N], N at least 1.
        centroids: float32 [N, 2], row and column of each mask's centre.
        side: from `find_released_direction` or `find_plain_direction`.

    Returns:
        The scores, float32 [N], and the side in words. Where nothing changes, because no side is named, no
        mask
        is on it or its best mask is first already: the same scores and "".

    Source: LGD's released code, which took it over from TAS.
    """
    vertical, horizontal = side
    if not vertical and not horizontal:
        return scores, ""
    is_top = centroids[:, 0] < np.median(centroids[:, 0])
    is_left = centroids[:, 1] < np.median(centroids[:, 1])
    rows = [vertical == "top"] if vertical else [True, False]
    columns = [horizontal == "left"] if horizontal else [True, False]
    best = -1
    for top in rows:
        for left in columns:
            quarter = np.flatnonzero((is_top == top) & (is_left == left))
            if len(quarter):
                first = int(quarter[np.argmax(scores[quarter])])
                best = first if best < 0 or scores[first] >= scores[best] else best
    if best in (-1, int(scores.argmax())):
        return scores, ""
    moved = scores.copy()
    moved[best] = scores.max() + np.float32(1e-3) * max(1.0, float(np.ptp(scores)))
    return moved, f"{vertical} {horizontal}".strip()
