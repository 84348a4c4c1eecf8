"""The entity of an expression with its relations and superlatives, as LGD's released code reads it.

Source: the released code of Li et al., arXiv:2504.14467, which took it over from TAS and ReCLIP (Subramanian
et al., ACL 2022, arXiv:2204.05991). This file follows it exactly, including what looks like a mistake:

* Each *token* of a noun phrase has its own expanded phrase, so the tokens of one phrase count as different
  things: "the" of "the left mug" is a relation of the mug to "the left mug".
* A phrase is expanded by the tokens that depend on it, except those on which a phrase of another token
  depends. Another token of the same phrase counts too.
* Of several sentences this code takes the first root as head; the noun phrase rule takes the last.
"""

from dataclasses import dataclass

from ris.core.tree import Tree

LEFT, RIGHT = ("left", "west"), ("right", "east")
ABOVE, BELOW = ("above", "north", "top"), ("below", "south", "under")
RELATION_WORDS = frozenset((
    *LEFT, *RIGHT, *ABOVE, *BELOW, "bigger", "larger", "closer", "smaller", "tinier", "further", "inside",
    "within", "contained", "part", "image", "side", "picture", "half", "region", "section",
))  # fmt: skip
SUPERLATIVE_WORDS = frozenset((
    *LEFT, "leftmost", "western", *RIGHT, "rightmost", "eastern", *ABOVE, "below", "south", "underneath",
    "bigger", "biggest", "larger", "largest", "closer", "closest", "smaller", "smallest", "tinier", "tiniest",
    "further", "furthest",
))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entity:
    """The thing that an expression refers to.

    Attributes:
        head: its expanded phrase.
        relations: for each dependent thing, the words between in order, and the thing's expanded phrase.
        has_superlative: whether a chain of dependent words contains a superlative.
    """

    head: str
    relations: tuple[tuple[tuple[str, ...], str], ...]
    has_superlative: bool


def read_entity(tree: Tree) -> Entity | None:
    """Read the entity at the first root, else at the head of the first noun phrase; None without either."""
    root = next((i for i, node in enumerate(tree.nodes) if node.head == i), None)
    if root is None:
        return None
    expanded = expand_phrases(tree)
    found = _find_entity_at(tree, root, expanded)
    if found is None and tree.phrases:
        found = _find_entity_at(tree, tree.nodes[_find_top(tree, *tree.phrases[0])].head, expanded)
    return found


def expand_phrases(tree: Tree) -> dict[int, str]:
    """Expand noun phrases by their dependents, see the module: expanded phrase by index of the token."""
    phrase_of = {i: p for p, (start, stop) in enumerate(tree.phrases) for i in range(start, stop)}
    above = [frozenset(tree.find_ancestors(i)) for i in range(len(tree.nodes))]
    leads_to: list[set[int]] = [set() for _ in tree.nodes]  # the phrases that depend on each token
    for i, p in phrase_of.items():
        for ancestor in above[i]:
            leads_to[ancestor].add(p)
    expanded: dict[int, str] = {}
    for p, (start, stop) in enumerate(tree.phrases):
        alone = stop - start == 1  # else another token of the same phrase blocks the expansion too

        def is_taken(i: int, p: int = p, alone: bool = alone) -> bool:
            return bool(leads_to[i] - {p}) or (p in leads_to[i] and not alone)

        hangs = [not above[i].isdisjoint(range(start, stop)) for i in range(len(tree.nodes))]
        first, after = start, stop
        for i in range(start):
            if hangs[i] and not is_taken(i):
                first = i
                break
        for i in range(stop, len(tree.nodes)):
            if not hangs[i]:
                continue
            if is_taken(i) or i in phrase_of:
                break
            after = i + 1
        words = tree.get_text(first, after)
        expanded |= dict.fromkeys(range(start, stop), words)
    return expanded


def _find_entity_at(tree: Tree, head: int, expanded: dict[int, str]) -> Entity | None:
    if head not in expanded:
        first = next(iter(tree.find_children(head)), None)
        if first is None or first not in expanded:
            return None
        head = first
    return _read_entity(tree, head, expanded)


def _read_entity(tree: Tree, head: int, expanded: dict[int, str]) -> Entity:
    """Follow each chain of dependents from the head to another thing or to its end, in the code's order."""
    relations, has_superlative = [], False
    ahead: list[tuple[int, tuple[int, ...]]] = [(head, ())]  # a token, and the words that lead to it
    while ahead:
        i, between = ahead.pop()
        word, children = tree.nodes[i].text, tree.find_children(i)
        if i in expanded and i != head and word not in RELATION_WORDS:
            relations.append((tuple(tree.nodes[j].text for j in sorted(between)), expanded[i]))
        elif not children:
            chain = (*(tree.nodes[j].text for j in between), word)
            has_superlative |= not SUPERLATIVE_WORDS.isdisjoint(chain)
        else:
            if i not in expanded or word in RELATION_WORDS or word in SUPERLATIVE_WORDS:
                between = (*between, i)
            ahead += [(child, between) for child in reversed(children)]
    return Entity(expanded[head], tuple(relations), has_superlative)


def _find_top(tree: Tree, start: int, stop: int) -> int:
    """Find the token of a phrase that is nearest to the root."""
    outside = [
        i for i in range(start, stop) if not start <= tree.nodes[i].head < stop or tree.nodes[i].head == i
    ]
    return min(outside, key=lambda i: len(tree.find_ancestors(i)), default=start)
