"""Dependency trees that are built word by word, and their conversion to sentences."""

from dataclasses import dataclass, field

from training.treebank import Sentence


@dataclass
class PhraseTree:
    """A word with its dependents before and after it, each as (relation, tree), in the order of the text."""

    word: str
    tag: str
    before: list[tuple[str, "PhraseTree"]] = field(default_factory=list)
    after: list[tuple[str, "PhraseTree"]] = field(default_factory=list)

    def append(self, relation: str, tree: "PhraseTree") -> "PhraseTree":
        """Add a dependent at the end, in place, and return the tree."""
        self.after.append((relation, tree))
        return self

    def prepend(self, relation: str, tree: "PhraseTree") -> "PhraseTree":
        """Add a dependent at the beginning, in place, and return the tree."""
        self.before.insert(0, (relation, tree))
        return self


def to_sentence(tree: PhraseTree) -> Sentence:
    """Convert a tree to a sentence, its words in their order."""
    rows: list[tuple[str, str, int, str]] = []
    order: list[int] = []

    def visit(node: PhraseTree, relation: str, parent: int) -> None:
        me = len(rows)
        rows.append((node.word, node.tag, parent, relation))
        for label, child in node.before:
            visit(child, label, me)
        order.append(me)
        for label, child in node.after:
            visit(child, label, me)

    visit(tree, "ROOT", 0)
    place = {row: i for i, row in enumerate(order)}
    return Sentence(
        tuple(rows[row][0] for row in order),
        tuple(rows[row][1] for row in order),
        tuple(place[rows[row][2]] for row in order),
        tuple(rows[row][3] for row in order),
    )


def make_leaf(word: str, tag: str) -> PhraseTree:
    """Make a tree of one word."""
    return PhraseTree(word, tag)


def make_compound(words: str) -> PhraseTree:
    """Make a noun of several words, such as "hot_dog"; the last word is the head."""
    *first, last = words.split("_")
    return PhraseTree(last, "NOUN", [("compound", make_leaf(word, "NOUN")) for word in first])


def conjoin(tree: PhraseTree, conjunction: str, other: PhraseTree) -> PhraseTree:
    """Add a conjunct to a tree, in place, and return the tree."""
    return tree.append("conj", other.prepend("cc", make_leaf(conjunction, "CCONJ")))


def pluralise(word: str) -> str:
    """Convert a noun to its plural."""
    irregular = {"man": "men", "woman": "women", "person": "people", "child": "children", "sheep": "sheep"}
    if word in irregular:
        return irregular[word]
    if word.endswith("s"):
        return word
    if word.endswith("y") and word[-2] not in "aeiou":
        return word[:-1] + "ies"
    return word + ("es" if word.endswith(("ch", "sh", "x")) else "s")
