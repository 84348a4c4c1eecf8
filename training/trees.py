"""Dependency trees built word by word, and the sentences that they read as."""

from dataclasses import dataclass, field

from training.treebank import Sentence


@dataclass
class PhraseTree:
    """A word with what depends on it, before and after, each as (relation, tree) in the order of the text."""

    word: str
    tag: str
    before: list[tuple[str, "PhraseTree"]] = field(default_factory=list)
    after: list[tuple[str, "PhraseTree"]] = field(default_factory=list)

    def append(self, relation: str, tree: "PhraseTree") -> "PhraseTree":
        """The same tree with one more dependent at its end."""
        self.after.append((relation, tree))
        return self

    def prepend(self, relation: str, tree: "PhraseTree") -> "PhraseTree":
        """The same tree with one more dependent at its very beginning."""
        self.before.insert(0, (relation, tree))
        return self


def to_sentence(tree: PhraseTree) -> Sentence:
    """The words of a tree in their order."""
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
    return PhraseTree(word, tag)


def make_compound(words: str) -> PhraseTree:
    """A noun of several words, written "hot_dog": the last is the noun."""
    *first, last = words.split("_")
    return PhraseTree(last, "NOUN", [("compound", make_leaf(word, "NOUN")) for word in first])


def conjoin(tree: PhraseTree, conjunction: str, other: PhraseTree) -> PhraseTree:
    return tree.append("conj", other.prepend("cc", make_leaf(conjunction, "CCONJ")))


def pluralise(word: str) -> str:
    irregular = {"man": "men", "woman": "women", "person": "people", "child": "children", "sheep": "sheep"}
    if word in irregular:
        return irregular[word]
    if word.endswith("s"):
        return word
    if word.endswith("y") and word[-2] not in "aeiou":
        return word[:-1] + "ies"
    return word + ("es" if word.endswith(("ch", "sh", "x")) else "s")
