"""Dependency trees of texts. The text stays exactly as written: not lower-cased, tokens not joined anew."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Node:
    """One token of a text.

    Attributes:
        text: as written.
        pos: its universal part of speech: NOUN, ADJ, ADP ...
        start: index of its first character in the text.
        head: index of the token that it depends on; a root has its own index.
    """

    text: str
    pos: str
    start: int
    head: int


@dataclass(frozen=True, slots=True)
class Tree:
    """The dependencies and the noun phrases of a text.

    Attributes:
        text: the whole text.
        nodes: its tokens, in order.
        phrases: base noun phrases, left to right: index of the first token, and index after the last token.
        referent: index of the phrase that names the referent; None when the whole text stands for it.

    Raises:
        ValueError: a head or a phrase lies outside the text.
    """

    text: str
    nodes: tuple[Node, ...] = ()
    phrases: tuple[tuple[int, int], ...] = ()
    referent: int | None = None

    def __post_init__(self) -> None:
        n = len(self.nodes)
        if not all(0 <= node.head < n for node in self.nodes):
            raise ValueError(f"every head of {n} tokens must be one of them")
        if not all(0 <= start < stop <= n for start, stop in self.phrases):
            raise ValueError(f"every phrase must have tokens of the {n}, got {self.phrases}")
        if self.referent is not None and not 0 <= self.referent < len(self.phrases):
            raise ValueError(f"there is no phrase {self.referent} of {len(self.phrases)}")

    def get_text(self, start: int, stop: int) -> str:
        """Return the text of the tokens from `start` to `stop`, exclusive; `start` must be below `stop`."""
        last = self.nodes[stop - 1]
        return self.text[self.nodes[start].start : last.start + len(last.text)]

    @property
    def noun_phrase(self) -> str:
        """The noun phrase of the referent, determiner included; the whole text when there is none."""
        return self.text if self.referent is None else self.get_text(*self.phrases[self.referent])

    def find_children(self, i: int) -> list[int]:
        """Find the tokens that depend on token `i`, in order."""
        return [j for j, node in enumerate(self.nodes) if node.head == i and j != i]

    def find_ancestors(self, i: int) -> list[int]:
        """Find the tokens that token `i` depends on, nearest first, up to its root."""
        found = []
        while self.nodes[i].head != i:
            i = self.nodes[i].head
            found.append(i)
        return found

    def find_first_noun(self, start: int, stop: int) -> str | None:
        """Find the first noun among the tokens from `start` to `stop`, exclusive; None when there is none."""
        return next((n.text for n in self.nodes[start:stop] if n.pos in ("NOUN", "PROPN")), None)

    @property
    def referent_noun(self) -> str | None:
        """The first noun of `noun_phrase`."""
        start, stop = (0, len(self.nodes)) if self.referent is None else self.phrases[self.referent]
        return self.find_first_noun(start, stop)
