"""Words of direction: which side of the image a referent is said to be on, and what follows for a ranking.

There are two rules. `released_direction` is that of LGD's released code: it goes by a direction only where
the head's expanded phrase is the noun phrase itself and there are superlatives or relations, but not both; it
then looks for parts of words, by which a laptop is at the top, and knows no "bottom". `plain_direction` is
ours: whole words, said of the referent alone. A figure with ours is none of LGD's.
"""

import numpy as np
from numpy.typing import NDArray

from ris.core.expression import ParsedExpression
from ris.core.tree import Tree
from ris.referring.entities import ABOVE, BELOW, LEFT, RIGHT, Entity, read_entity

VERTICAL = {
    "top": frozenset({"above", "top", "topmost", "north", "upper", "highest"}),
    "bottom": frozenset({"below", "bottom", "south", "under", "underneath", "beneath", "lower", "lowest"}),
}
HORIZONTAL = {
    "left": frozenset({"left", "leftmost", "west", "western"}),
    "right": frozenset({"right", "rightmost", "east", "eastern"}),
}


def released_direction(tree: Tree) -> tuple[str, str]:
    """The side by the rule of LGD's released code: ("top", "left"), ("", "right"), ("", "").

    Args:
        tree: of the expression in lower case, as it stands.
    """
    entity = read_entity(tree)
    if entity is None or entity.head != tree.noun_phrase:
        return "", ""
    if entity.has_superlative and not entity.relations:
        return _vertical(tree.text, below="underneath"), _horizontal(tree.text)
    if entity.relations and not entity.has_superlative:
        return _of_relations(entity, tree.text)
    return "", ""


def _of_relations(entity: Entity, text: str) -> tuple[str, str]:
    """Of the last relation whose words are about a side of the picture, not of another thing."""
    side = ("", "")
    for between, thing in entity.relations:
        word = next((w for w in between if w in (*LEFT, *RIGHT, *ABOVE, *BELOW)), None)
        if word is None or (thing != entity.head and word not in thing):
            continue
        if word in LEFT or word in RIGHT:
            side = _vertical(text, below="under"), "left" if word in LEFT else "right"
        else:
            side = "top" if word in ABOVE else "bottom", _horizontal(text)
    return side


def _vertical(text: str, *, below: str) -> str:
    if any(part in text for part in ABOVE):
        return "top"
    return "bottom" if any(part in text for part in ("below", "south", below)) else ""


def _horizontal(text: str) -> str:
    if any(part in text for part in LEFT):
        return "left"
    return "right" if any(part in text for part in RIGHT) else ""


def plain_direction(expression: ParsedExpression) -> tuple[str, str]:
    """The side by our own rule, in whole words: ("top", "left"), ("", "right"), ("", "").

    A direction counts when it is said of the referent alone: inside its noun phrase ("the left mug"), or
    after it with no other thing to relate to ("mug on the left", "mug at the top of the picture").
    """
    said = [word for word in expression.words if _side(word.text, VERTICAL) or _side(word.text, HORIZONTAL)]
    others = [p for p in expression.landmarks if not _names_a_side(p)]
    subject = set(expression.subject.split())
    if others:
        said = [word for word in said if word.text in subject]
    found = [next((s for w in said if (s := _side(w.text, sides))), "") for sides in (VERTICAL, HORIZONTAL)]
    return found[0], found[1]


def _side(word: str, sides: dict[str, frozenset[str]]) -> str:
    return next((side for side, words in sides.items() if word in words), "")


FRAME_WORDS = {
    "the", "a", "of", "in", "on", "at", "side", "part", "half", "corner", "edge", "end", "middle", "center",
    "picture", "image", "photo", "photograph",
}  # fmt: skip


def _names_a_side(phrase: str) -> bool:
    return all(w in FRAME_WORDS or _side(w, VERTICAL) or _side(w, HORIZONTAL) for w in phrase.split())


def rectified(
    scores: NDArray[np.float32], places: NDArray[np.float32], side: tuple[str, str]
) -> tuple[NDArray[np.float32], str]:
    """The spatial rectifier: the best mask of the side that is named comes first.

    Args:
        scores: float32 [N], N at least 1.
        places: float32 [N, 2], row and column of each mask's centre.
        side: as `released_direction` or `plain_direction` has it.

    Returns:
        The scores, and the side in words; unchanged and "" when no side is named or the side is empty.

    Source: the released code, inherited from TAS: masks fall into quarters by the medians of their
    centres, strictly below the median is top or left, and of two quarters with equal bests the second wins.
    """
    vertical, horizontal = side
    if not vertical and not horizontal:
        return scores, ""
    is_top = places[:, 0] < np.median(places[:, 0])
    is_left = places[:, 1] < np.median(places[:, 1])
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
