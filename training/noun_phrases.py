"""Random noun phrases without modifiers after the noun: "the two far left red shirt guys"."""

import json
import random
from collections.abc import Sequence
from pathlib import Path

from training.trees import PhraseTree, conjoin, make_compound, make_leaf, pluralise

PHRASE_WORDS: dict[str, list[str]] = {
    kind: words.split()
    for kind, words in json.loads(Path(__file__).with_name("phrase_words.json").read_text()).items()
}


class NounPhraseGrammar:
    """Writes random noun phrases.

    Args:
        rng: the generator.
        nouns, adjectives, verbs: words of a treebank, in addition to `PHRASE_WORDS`; verbs end in "ing".
    """

    def __init__(
        self, rng: random.Random, *, nouns: Sequence[str], adjectives: Sequence[str], verbs: Sequence[str]
    ) -> None:
        self.rng = rng
        self.nouns, self.adjectives, self.verbs = nouns, adjectives, verbs
        self.classes = (
            PHRASE_WORDS["people"],
            PHRASE_WORDS["people"],
            PHRASE_WORDS["clothes"],
            PHRASE_WORDS["animals"],
            PHRASE_WORDS["furniture"],
            PHRASE_WORDS["food"],
            PHRASE_WORDS["vehicles"],
            PHRASE_WORDS["things"],
            PHRASE_WORDS["parts"],
        )

    def _is_drawn(self, share: float) -> bool:
        return self.rng.random() < share

    def _pick(self, words: Sequence[str]) -> str:
        return self.rng.choice(words)

    def _make_noun(self) -> PhraseTree:
        if self._is_drawn(0.18):
            return make_leaf(self._pick(self.nouns), "NOUN")
        return make_compound(self._pick(self.rng.choice(self.classes)))

    def _make_phrase(self, noun: PhraseTree | None = None, *, articles: float = 0.45) -> PhraseTree:
        """Make a noun with determiners and modifiers before it."""
        noun = noun or self._make_noun()
        for _ in range(self.rng.choices((0, 1, 2, 3), (40, 40, 15, 5))[0]):
            self._add_description(noun)
        if self._is_drawn(0.12):
            self._add_place_before(noun)
        if self._is_drawn(0.07):
            noun.prepend("amod", make_leaf(self._pick(PHRASE_WORDS["ordinals"]), "ADJ"))
        elif self._is_drawn(0.05):
            noun.word = pluralise(noun.word)
            noun.prepend("nummod", make_leaf(self._pick(PHRASE_WORDS["numbers"][:-1]), "NUM"))
        elif self._is_drawn(0.05):
            noun.word = pluralise(noun.word)
        if self._is_drawn(articles):
            self._add_determiner(noun)
        return noun

    def _add_determiner(self, noun: PhraseTree) -> None:
        roll = self.rng.random()
        if roll < 0.6:
            noun.prepend("det", make_leaf("the", "DET"))
        elif roll < 0.82:
            first = noun.before[0][1] if noun.before else noun
            while first.before:
                first = first.before[0][1]
            noun.prepend("det", make_leaf("an" if first.word[0] in "aeiou" else "a", "DET"))
        elif roll < 0.89:
            noun.prepend(
                "det", make_leaf(self._pick(("this", "that", "no", "another", "each", "some", "any")), "DET")
            )
        elif roll < 0.94:
            noun.prepend("nmod:poss", make_leaf(self._pick(("his", "her", "their", "its", "my")), "PRON"))
        else:
            owner = make_compound(
                self._pick(
                    self.rng.choice((PHRASE_WORDS["people"], PHRASE_WORDS["people"], PHRASE_WORDS["animals"]))
                )
            )
            if self._is_drawn(0.3):
                self._add_description(owner)
            if self._is_drawn(0.5):
                owner.prepend("det", make_leaf("the", "DET"))
            noun.prepend("nmod:poss", owner.append("case", make_leaf("'s", "PART")))

    def _add_description(self, noun: PhraseTree) -> None:
        makers = (
            self._make_colour,
            self._make_colour,
            self._make_look,
            self._make_look,
            self._make_superlative,
            self._make_clothes,
            self._make_age,
            self._make_other_adjective,
        )
        noun.prepend(*self.rng.choice(makers)())

    def _make_colour(self) -> tuple[str, PhraseTree]:
        colour = make_leaf(self._pick(PHRASE_WORDS["colours"]), "ADJ")
        roll = self.rng.random()
        if roll < 0.15:
            colour.prepend(
                self._pick(("amod", "advmod")), make_leaf(self._pick(PHRASE_WORDS["shades"]), "ADJ")
            )
        elif roll < 0.25:
            conjoin(
                colour,
                self._pick(("and", "and", "or")),
                make_leaf(self._pick(PHRASE_WORDS["colours"]), "ADJ"),
            )
        elif roll < 0.3:
            return "amod", PhraseTree(self._pick(("colored", "coloured")), "ADJ", [("amod", colour)])
        elif roll < 0.33:
            colour.prepend("advmod", make_leaf(self._pick(("non", "mostly", "all", "not")), "ADV"))
        return "amod", colour

    def _make_look(self) -> tuple[str, PhraseTree]:
        *first, last = self._pick(PHRASE_WORDS["looks"]).split("_")
        look = PhraseTree(last, "ADJ", [("advmod", make_leaf(word, "ADV")) for word in first])
        if not first and self._is_drawn(0.08):
            look.prepend(
                "advmod", make_leaf(self._pick(("very", "really", "most", "more", "slightly", "half")), "ADV")
            )
        return "amod", look

    def _make_superlative(self) -> tuple[str, PhraseTree]:
        if self._is_drawn(0.15):
            side = make_leaf(
                self._pick(("left", "right", "top", "bottom", "front", "back", "far", "upper")), "ADJ"
            )
            return "amod", side.append("goeswith", make_leaf("most", "X"))
        return "amod", make_leaf(
            self._pick(PHRASE_WORDS["superlatives"] if self._is_drawn(0.7) else PHRASE_WORDS["comparatives"]),
            "ADJ",
        )

    def _make_clothes(self) -> tuple[str, PhraseTree]:
        """Make a piece of clothing as modifier: "red shirt" in "red shirt guy"."""
        worn = make_compound(
            self._pick(PHRASE_WORDS["clothes"] if self._is_drawn(0.7) else PHRASE_WORDS["things"])
        )
        if self._is_drawn(0.6):
            worn.prepend(*self._make_colour())
        return "compound", worn

    def _make_age(self) -> tuple[str, PhraseTree]:
        if self._is_drawn(0.6):
            return "amod", make_leaf(
                self._pick(("old", "young", "older", "younger", "elderly", "little")), "ADJ"
            )
        years = PhraseTree("year", "NOUN", [("nummod", make_leaf(str(self.rng.randrange(2, 90)), "NUM"))])
        return "amod", PhraseTree("old", "ADJ", [("obl:unmarked", years)])

    def _make_other_adjective(self) -> tuple[str, PhraseTree]:
        return "amod", make_leaf(self._pick(self.adjectives), "ADJ")

    def _add_place_before(self, noun: PhraseTree) -> None:
        """Put "left", "far left", "top right" or "left side" before the noun."""
        roll = self.rng.random()
        if roll < 0.5:
            noun.prepend("amod", make_leaf(self._pick(PHRASE_WORDS["sides"]), "ADJ"))
        elif roll < 0.65:
            noun.prepend(
                "amod",
                PhraseTree(
                    self._pick(PHRASE_WORDS["sides"][:4]), "ADJ", [("advmod", make_leaf("far", "ADV"))]
                ),
            )
        elif roll < 0.88:
            noun.prepend("amod", make_leaf(self._pick(("left", "right", "center")), "ADJ"))
            noun.prepend(
                "amod",
                make_leaf(self._pick(("top", "bottom", "upper", "lower", "front", "back", "far")), "ADJ"),
            )
        else:
            side = PhraseTree(self._pick(("side", "hand", "corner", "row")), "NOUN")
            noun.prepend(
                "compound", side.prepend("amod", make_leaf(self._pick(PHRASE_WORDS["sides"]), "ADJ"))
            )
