"""Nouns with what may stand before them, at random: "the two far left red shirt guys"."""

import json
import random
from collections.abc import Sequence
from pathlib import Path

from training.trees import Tree, compound, conjoined, leaf, plural

WORDS: dict[str, list[str]] = {
    kind: words.split()
    for kind, words in json.loads(Path(__file__).with_name("phrase_words.json").read_text()).items()
}


class NounPhrases:
    """Words noun phrases at random.

    Args:
        nouns, adjectives, verbs: a treebank's own words beside those of `WORDS`; verbs end in "ing".
    """

    def __init__(
        self, rng: random.Random, *, nouns: Sequence[str], adjectives: Sequence[str], verbs: Sequence[str]
    ) -> None:
        self.rng = rng
        self.nouns, self.adjectives, self.verbs = nouns, adjectives, verbs
        self.classes = (
            WORDS["people"],
            WORDS["people"],
            WORDS["clothes"],
            WORDS["animals"],
            WORDS["furniture"],
            WORDS["food"],
            WORDS["vehicles"],
            WORDS["things"],
            WORDS["parts"],
        )

    def _chance(self, share: float) -> bool:
        return self.rng.random() < share

    def _pick(self, words: Sequence[str]) -> str:
        return self.rng.choice(words)

    def _noun(self) -> Tree:
        if self._chance(0.18):
            return leaf(self._pick(self.nouns), "NOUN")
        return compound(self._pick(self.rng.choice(self.classes)))

    def _phrase(self, noun: Tree | None = None, *, articles: float = 0.45) -> Tree:
        """A noun with what may stand before it."""
        noun = noun or self._noun()
        for _ in range(self.rng.choices((0, 1, 2, 3), (40, 40, 15, 5))[0]):
            self._describe(noun)
        if self._chance(0.12):
            self._place_before(noun)
        if self._chance(0.07):
            noun.preceded("amod", leaf(self._pick(WORDS["ordinals"]), "ADJ"))
        elif self._chance(0.05):
            noun.word = plural(noun.word)
            noun.preceded("nummod", leaf(self._pick(WORDS["numbers"][:-1]), "NUM"))
        elif self._chance(0.05):
            noun.word = plural(noun.word)
        if self._chance(articles):
            self._determine(noun)
        return noun

    def _determine(self, noun: Tree) -> None:
        roll = self.rng.random()
        if roll < 0.6:
            noun.preceded("det", leaf("the", "DET"))
        elif roll < 0.82:
            first = noun.before[0][1] if noun.before else noun
            while first.before:
                first = first.before[0][1]
            noun.preceded("det", leaf("an" if first.word[0] in "aeiou" else "a", "DET"))
        elif roll < 0.89:
            noun.preceded(
                "det", leaf(self._pick(("this", "that", "no", "another", "each", "some", "any")), "DET")
            )
        elif roll < 0.94:
            noun.preceded("nmod:poss", leaf(self._pick(("his", "her", "their", "its", "my")), "PRON"))
        else:
            owner = compound(
                self._pick(self.rng.choice((WORDS["people"], WORDS["people"], WORDS["animals"])))
            )
            if self._chance(0.3):
                self._describe(owner)
            if self._chance(0.5):
                owner.preceded("det", leaf("the", "DET"))
            noun.preceded("nmod:poss", owner.then("case", leaf("'s", "PART")))

    def _describe(self, noun: Tree) -> None:
        makers = (
            self._colour,
            self._colour,
            self._look,
            self._look,
            self._superlative,
            self._worn,
            self._age,
            self._other_adjective,
        )
        noun.preceded(*self.rng.choice(makers)())

    def _colour(self) -> tuple[str, Tree]:
        colour = leaf(self._pick(WORDS["colours"]), "ADJ")
        roll = self.rng.random()
        if roll < 0.15:
            colour.preceded(self._pick(("amod", "advmod")), leaf(self._pick(WORDS["shades"]), "ADJ"))
        elif roll < 0.25:
            conjoined(colour, self._pick(("and", "and", "or")), leaf(self._pick(WORDS["colours"]), "ADJ"))
        elif roll < 0.3:
            return "amod", Tree(self._pick(("colored", "coloured")), "ADJ", [("amod", colour)])
        elif roll < 0.33:
            colour.preceded("advmod", leaf(self._pick(("non", "mostly", "all", "not")), "ADV"))
        return "amod", colour

    def _look(self) -> tuple[str, Tree]:
        *first, last = self._pick(WORDS["looks"]).split("_")
        look = Tree(last, "ADJ", [("advmod", leaf(word, "ADV")) for word in first])
        if not first and self._chance(0.08):
            look.preceded(
                "advmod", leaf(self._pick(("very", "really", "most", "more", "slightly", "half")), "ADV")
            )
        return "amod", look

    def _superlative(self) -> tuple[str, Tree]:
        if self._chance(0.15):
            side = leaf(
                self._pick(("left", "right", "top", "bottom", "front", "back", "far", "upper")), "ADJ"
            )
            return "amod", side.then("goeswith", leaf("most", "X"))
        return "amod", leaf(
            self._pick(WORDS["superlatives"] if self._chance(0.7) else WORDS["comparatives"]), "ADJ"
        )

    def _worn(self) -> tuple[str, Tree]:
        """What is worn: "red shirt" of "red shirt guy"."""
        worn = compound(self._pick(WORDS["clothes"] if self._chance(0.7) else WORDS["things"]))
        if self._chance(0.6):
            worn.preceded(*self._colour())
        return "compound", worn

    def _age(self) -> tuple[str, Tree]:
        if self._chance(0.6):
            return "amod", leaf(self._pick(("old", "young", "older", "younger", "elderly", "little")), "ADJ")
        years = Tree("year", "NOUN", [("nummod", leaf(str(self.rng.randrange(2, 90)), "NUM"))])
        return "amod", Tree("old", "ADJ", [("obl:unmarked", years)])

    def _other_adjective(self) -> tuple[str, Tree]:
        return "amod", leaf(self._pick(self.adjectives), "ADJ")

    def _place_before(self, noun: Tree) -> None:
        """Put "left", "far left", "top right" or "left side" before the noun."""
        roll = self.rng.random()
        if roll < 0.5:
            noun.preceded("amod", leaf(self._pick(WORDS["sides"]), "ADJ"))
        elif roll < 0.65:
            noun.preceded(
                "amod", Tree(self._pick(WORDS["sides"][:4]), "ADJ", [("advmod", leaf("far", "ADV"))])
            )
        elif roll < 0.88:
            noun.preceded("amod", leaf(self._pick(("left", "right", "center")), "ADJ"))
            noun.preceded(
                "amod", leaf(self._pick(("top", "bottom", "upper", "lower", "front", "back", "far")), "ADJ")
            )
        else:
            side = Tree(self._pick(("side", "hand", "corner", "row")), "NOUN")
            noun.preceded("compound", side.preceded("amod", leaf(self._pick(WORDS["sides"]), "ADJ")))
