"""Referring phrases with their gold trees, as people type them: no articles, few verbs, places first.

A treebank of web pages has hardly any; a parser that has read only sentences takes "kid far left" for a
clause. The grammar below words things, and knows the tree because it built it.
"""

from training.noun_phrases import WORDS, NounPhrases
from training.treebank import Sentence, row_of
from training.trees import Tree, compound, conjoined, leaf, plural, sentence_of


class Grammar(NounPhrases):
    """Words whole referring expressions at random."""

    def expression(self) -> Sentence:
        """One phrase; seldom two, the second in words of its own ("man in red. not the one on the left")."""
        first = sentence_of(self._tree())
        if not self._chance(0.03):
            return first
        stop = sentence_of(self._tree().then("punct", leaf(".", "PUNCT")))
        return row_of((stop, first))

    def _tree(self) -> Tree:
        forms = (
            (56, self._referent),
            (7, self._list),
            (6, self._clause),
            (4, self._place_alone),
            (4, self._negated),
            (3, self._participle),
            (3, self._of_several),
            (3, self._imperative),
            (5, self._one),
            (1, self._existence),
            (3, self._focus),
            (2, self._coordination),
            (2, self._bare),
        )
        weights, makers = zip(*forms, strict=True)
        return self.rng.choices(makers, weights)[0]()

    # What is said of a noun after it

    def _referent(self) -> Tree:
        noun = self._phrase()
        for _ in range(self.rng.choices((0, 1, 2, 3), (22, 50, 22, 6))[0]):
            self._modify(noun)
        return noun

    def _modify(self, noun: Tree) -> None:
        makers = (
            (20, self._prepositional),
            (16, self._place_after),
            (9, self._near),
            (6, self._relative_place),
            (12, self._doing),
            (5, self._posing),
            (4, self._done),
            (7, self._relative_clause),
            (4, self._not),
            (3, self._ordinal_after),
            (4, self._after_comma),
            (1, self._about_to),
            (1, self._number),
        )
        weights, options = zip(*makers, strict=True)
        self.rng.choices(options, weights)[0](noun)

    def _inner(self) -> Tree:
        """A landmark: a phrase that is itself seldom modified."""
        if self._chance(0.04):
            return leaf(self._pick(WORDS["pronouns"]), "PRON")
        noun = self._phrase(articles=0.55)
        if self._chance(0.12):
            self._prepositional(noun)
        if self._chance(0.04):
            conjoined(noun, "and", self._phrase())
        return noun

    def _case(self, *words: str, noun: Tree) -> Tree:
        for word in reversed(words):
            noun.preceded("case", leaf(word, "ADP"))
        return noun

    def _prepositional(self, noun: Tree, relation: str = "nmod") -> None:
        roll = self.rng.random()
        if roll < 0.3:
            self._dressed(noun, relation)
        elif roll < 0.45:
            place = self._phrase(leaf(self._pick(WORDS["places"]), "NOUN"), articles=0.7)
            noun.then(relation, self._case(self._pick(("in", "on", "at", "from", "of")), noun=place))
        elif roll < 0.5:
            both = conjoined(self._phrase(), "and", self._phrase())
            noun.then(relation, self._case("between", noun=both))
        else:
            noun.then(relation, self._case(self._pick(WORDS["near"]), noun=self._inner()))

    def _dressed(self, noun: Tree, relation: str) -> None:
        preposition = self._pick(("in", "in", "with", "with", "w", "without"))
        clothes: Tree = leaf(self._pick(WORDS["colours"]), "NOUN")
        if self._chance(0.75):
            clothes = self._phrase(
                compound(
                    self._pick(
                        self.rng.choice((WORDS["clothes"], WORDS["clothes"], WORDS["parts"], WORDS["things"]))
                    )
                ),
                articles=0.25,
            )
            if self._chance(0.12):
                conjoined(clothes, "and", self._phrase(compound(self._pick(WORDS["clothes"])), articles=0.1))
            if self._chance(0.1):
                self._prepositional(clothes)
        noun.then(relation, self._case(preposition, noun=clothes))

    def _place_after(self, noun: Tree) -> None:
        makers = (self._side_adverb, self._on_side, self._on_side, self._corner, self._side_noun)
        noun.then(*self.rng.choice(makers)())

    def _side_adverb(self) -> tuple[str, Tree]:
        """A place in one word or two: "left", "far left", "bottom right", "closest"."""
        side = leaf(self._pick(WORDS["ends"][:-1]), "ADV")
        if self._chance(0.45):
            side.word = self._pick(("left", "right"))
            side.preceded(
                "advmod",
                leaf(self._pick(("far", "far", "bottom", "top", "upper", "lower", "back", "front")), "ADV"),
            )
        if self._chance(0.08):
            side = leaf(self._pick(WORDS["superlatives"] + WORDS["comparatives"]), "ADJ")
        return ("amod" if side.tag == "ADJ" else "advmod"), side

    def _on_side(self) -> tuple[str, Tree]:
        """A side: "on left", "to the far right of the picture", "all the way on the left"."""
        side = leaf(self._pick(WORDS["ends"]), "NOUN")
        if self._chance(0.15):
            side.word = self._pick(("side", "end", "edge", "half", "row", "part"))
            side.preceded("amod", leaf(self._pick(WORDS["sides"]), "ADJ"))
        elif self._chance(0.2):
            side.preceded(
                "amod", leaf(self._pick(("far", "very", "extreme", "bottom", "top", "lower", "upper")), "ADJ")
            )
        if self._chance(0.5):
            side.preceded("det", leaf("the", "DET"))
        self._case(self._pick(("on", "on", "on", "to", "in", "at", "from")), noun=side)
        if self._chance(0.1):
            way = Tree("way", "NOUN", [("det:predet", leaf("all", "DET")), ("det", leaf("the", "DET"))])
            side.preceded("obl:unmarked", way)
        if self._chance(0.15):
            side.then(
                "nmod",
                self._case(
                    "of",
                    noun=self._phrase(
                        leaf(self._pick(WORDS["places"] + WORDS["things"]), "NOUN"), articles=0.8
                    ),
                ),
            )
        return "nmod", side

    def _corner(self) -> tuple[str, Tree]:
        corner = leaf(self._pick(("corner", "corner", "side", "area", "row", "edge", "part")), "NOUN")
        corner.preceded("amod", leaf(self._pick(("left", "right")), "ADJ"))
        corner.preceded(
            "amod", leaf(self._pick(("top", "bottom", "upper", "lower", "far", "front", "back")), "ADJ")
        )
        if self._chance(0.5):
            return "nmod:unmarked", corner
        if self._chance(0.6):
            corner.preceded("det", leaf("the", "DET"))
        return "nmod", self._case(self._pick(("in", "in", "at", "on")), noun=corner)

    def _side_noun(self) -> tuple[str, Tree]:
        """A side without a preposition: "left side"."""
        side = leaf(self._pick(("side", "side", "edge", "end", "row", "hand")), "NOUN")
        return "nmod:unmarked", side.preceded("amod", leaf(self._pick(WORDS["sides"]), "ADJ"))

    def _near(self, noun: Tree) -> None:
        """An adjective or adverb with a landmark: "next to the tree", "left of the lamp"."""
        word, preposition = self._pick(WORDS["beside"]).split("_")
        tag = "ADV" if word in ("next", "left", "right", "away") else "ADJ"
        near = leaf(word, tag)
        landmark = self._inner()
        if preposition != "-":
            self._case(preposition, noun=landmark)
        noun.then("advmod" if tag == "ADV" else "amod", near.then("obl", landmark))

    def _relative_place(self, noun: Tree) -> None:
        """A side of a landmark: "in front of the bus", "to the left of the lamp"."""
        words = self._pick(WORDS["sides_of"]).split("_")
        side = leaf(words[-1], "NOUN")
        for word in reversed(words[1:-1]):
            side.preceded(*(("det", leaf(word, "DET")) if word == "the" else ("amod", leaf(word, "ADJ"))))
        self._case(words[0], noun=side)
        noun.then("nmod", side.then("nmod", self._case("of", noun=self._inner())))

    def _gerund(self) -> Tree:
        """Something done to something: "holding a ball", "looking at the dog"."""
        if self._chance(0.25):
            return leaf(self._pick(self.verbs), "VERB").then("obj", self._inner())
        verb, *preposition = self._pick(WORDS["doing"]).split("_")
        tree = leaf(verb, "VERB")
        if preposition:
            return tree.then("obl", self._case(preposition[0], noun=self._inner()))
        worn = verb == "wearing" or self._chance(0.15)
        thing = self._phrase(compound(self._pick(WORDS["clothes"]))) if worn else self._inner()
        if worn and self._chance(0.12):
            conjoined(thing, "and", self._phrase(compound(self._pick(WORDS["clothes"])), articles=0.2))
        if self._chance(0.08):
            tree.then("compound:prt", leaf(self._pick(("up", "out", "off", "down")), "ADP"))
        return tree.then("obj", thing)

    def _doing(self, noun: Tree) -> None:
        gerund = self._gerund()
        if self._chance(0.12):
            self._place_of_action(gerund)
        noun.then("acl", gerund)

    def _place_of_action(self, verb: Tree) -> None:
        relation, place = self.rng.choice((self._on_side, self._corner))()
        verb.then("obl" if relation == "nmod" else "obl:unmarked", place)

    def _pose(self) -> Tree:
        """A posture: "sitting down", "standing behind the car", "looking left"."""
        verb = leaf(self._pick(WORDS["posing"] if self._chance(0.8) else self.verbs), "VERB")
        roll = self.rng.random()
        if roll < 0.2:
            verb.then(
                "advmod", leaf(self._pick(WORDS["particles"] + ["left", "right", "alone", "together"]), "ADV")
            )
        elif roll < 0.6:
            verb.then("obl", self._case(self._pick(WORDS["near"]), noun=self._inner()))
        elif roll < 0.75:
            self._near_action(verb)
        return verb

    def _near_action(self, verb: Tree) -> None:
        verb.then("advmod", leaf("next", "ADV").then("obl", self._case("to", noun=self._inner())))

    def _posing(self, noun: Tree) -> None:
        noun.then("acl", self._pose())

    def _done(self, noun: Tree) -> None:
        """Something done to it: "parked next to the tree", "cut off on the right"."""
        verb = leaf(self._pick(WORDS["done"]), "VERB")
        roll = self.rng.random()
        if roll < 0.25:
            verb.then("compound:prt", leaf(self._pick(("off", "up", "on", "out", "down")), "ADP"))
        if roll < 0.6:
            verb.then(
                "obl", self._case(self._pick(("in", "on", "by", "with", "of", "behind")), noun=self._inner())
            )
        elif roll < 0.8:
            self._near_action(verb)
        if self._chance(0.15):
            verb.preceded("advmod", leaf(self._pick(("not", "partially", "half", "mostly")), "ADV"))
        noun.then("acl", verb)

    def _negation(self, tree: Tree) -> Tree:
        return tree.preceded("advmod", leaf("not", "PART"))

    def _said(self) -> Tree:
        """What can follow "is"; without its copula."""
        roll = self.rng.random()
        if roll < 0.3:
            said = leaf(self._pick(WORDS["colours"] if self._chance(0.6) else WORDS["looks"][:40]), "ADJ")
            if self._chance(0.1):
                conjoined(said, self._pick(("and", "or", "nor")), leaf(self._pick(WORDS["colours"]), "ADJ"))
            elif self._chance(0.1):
                said = leaf(self._pick(self.adjectives), "ADJ")
            elif self._chance(0.1):
                said = leaf(self._pick(WORDS["superlatives"] + WORDS["comparatives"]), "ADJ")
                if self._chance(0.5):
                    said.preceded("det", leaf("the", "DET"))
        elif roll < 0.5:
            said = self._on_side()[1]
        elif roll < 0.6:
            said = self._case(self._pick(WORDS["near"]), noun=self._inner())
        elif roll < 0.8:
            said = self._gerund()
        else:
            said = self._pose()
        return said

    def _is(self, said: Tree) -> Tree:
        """Put "is" or "is not" before it, as the copula or auxiliary that the tree needs."""
        if self._chance(0.3):
            self._negation(said)
        relation = "aux" if said.tag == "VERB" else "cop"
        return said.preceded(relation, leaf(self._pick(("is", "is", "is", "are", "was", "'s")), "AUX"))

    def _relative_clause(self, noun: Tree) -> None:
        roll = self.rng.random()
        pronoun = leaf(self._pick(("that", "that", "who", "which")), "PRON")
        if roll < 0.6:
            noun.then("acl:relcl", self._is(self._said()).preceded("nsubj", pronoun))
        elif roll < 0.8:
            verb = leaf(self._pick(("has", "has", "looks", "holds", "wears", "have")), "VERB")
            clause = verb.preceded("nsubj", pronoun).then("obj", self._inner())
            if self._chance(0.3):
                clause.then(
                    "obl",
                    self._case(self._pick(("on", "in")), noun=leaf(self._pick(WORDS["pronouns"]), "PRON")),
                )
            noun.then("acl:relcl", clause)
        elif roll < 0.9:
            owned = leaf(self._pick(WORDS["parts"]), "NOUN").preceded("nmod:poss", leaf("whose", "PRON"))
            said = self._is(
                leaf(self._pick(WORDS["colours"] + WORDS["looks"][:20] + ["down", "up", "visible"]), "ADJ")
            )
            noun.then("acl:relcl", said.preceded("nsubj", owned))
        else:
            verb = leaf(self._pick(("see", "ride", "hold", "eat", "touch", "watch")), "VERB")
            verb.preceded("aux", leaf(self._pick(("can", "could", "will")), "AUX"))
            subject = (
                leaf("you", "PRON")
                if self._chance(0.5)
                else self._phrase(leaf(self._pick(WORDS["people"][:8]), "NOUN"))
            )
            noun.then("acl:relcl", verb.preceded("nsubj", subject))

    def _not(self, noun: Tree) -> None:
        """What it is not: "not red", "not on the left", "neither red nor blue"."""
        said = self._said()
        if said.tag == "ADJ" and self._chance(0.2):
            said = leaf(self._pick(WORDS["colours"]), "ADJ").preceded("cc:preconj", leaf("neither", "CCONJ"))
            conjoined(said, "nor", leaf(self._pick(WORDS["colours"]), "ADJ"))
        else:
            self._negation(said)
        relation = {"ADJ": "amod", "VERB": "acl"}.get(said.tag, "nmod")
        if self._chance(0.2):
            said.preceded("punct", leaf(",", "PUNCT"))
        noun.then(relation, said)

    def _ordinal_after(self, noun: Tree) -> None:
        """A place in a row: "second from the left"."""
        side = leaf(self._pick(WORDS["ends"][:4]), "NOUN")
        if self._chance(0.6):
            side.preceded("det", leaf("the", "DET"))
        ordinal = leaf(self._pick(WORDS["ordinals"]), "ADJ")
        if self._chance(0.2):
            ordinal.preceded("punct", leaf(",", "PUNCT"))
        noun.then("amod", ordinal.then("obl", self._case("from", noun=side)))

    def _after_comma(self, noun: Tree) -> None:
        roll = self.rng.random()
        if roll < 0.35:
            said = leaf(self._pick(WORDS["colours"] + WORDS["looks"][:30]), "ADJ")
            relation = "amod"
        elif roll < 0.7:
            relation, said = self.rng.choice(
                (self._on_side, self._side_adverb, self._corner, self._side_noun)
            )()
        else:
            relation, said = "list", self._phrase()
        noun.then(relation, said.preceded("punct", leaf(",", "PUNCT")))

    def _about_to(self, noun: Tree) -> None:
        verb = leaf(self._pick(("hit", "throw", "catch", "jump", "eat", "kick", "serve", "ride")), "VERB")
        verb.preceded("mark", leaf("to", "PART"))
        if self._chance(0.6):
            verb.then("obj", self._inner())
        word = self._pick(("about", "ready"))
        noun.then("amod", leaf(word, "ADJ").then("advcl", verb))

    def _number(self, noun: Tree) -> None:
        number = leaf("number", "NOUN") if self._chance(0.7) else leaf("#", "SYM")
        number.then("nummod", leaf(str(self.rng.randrange(100)), "NUM"))
        if self._chance(0.7):
            self._case("with", noun=number)
        noun.then("nmod", number)

    # Whole expressions that are more or less than a noun phrase

    def _list(self) -> Tree:
        """Phrases in a row: "black suit, red tie", "kid on the right, green shirt"."""
        root = self._referent()
        for _ in range(self.rng.choice((1, 1, 2))):
            other = self._phrase(articles=0.15)
            if self._chance(0.3):
                self._place_after(other)
            comma = self._chance(0.85)
            root.then("list", other.preceded("punct", leaf(",", "PUNCT")) if comma else other)
        return root

    def _clause(self) -> Tree:
        """A sentence: "the dog is on the left", "man is holding ball"."""
        subject = self._phrase(articles=0.6)
        if self._chance(0.25):
            self._modify(subject)
        return self._is(self._said()).preceded("nsubj", subject)

    def _place_alone(self) -> Tree:
        relation, place = self.rng.choice(
            (self._side_adverb, self._on_side, self._corner, self._side_noun, self._side_adverb)
        )()
        if relation == "advmod":
            place.tag = "ADJ"
        return place

    def _negated(self) -> Tree:
        return self._negation(self._referent())

    def _participle(self) -> Tree:
        """An action whose doer goes unsaid: "wearing a yellow coat"."""
        return self.rng.choice((self._gerund, self._pose))()

    def _of_several(self) -> Tree:
        """A choice: "the smaller of the two dogs", "slice of pizza"."""
        several = self._phrase(articles=0)
        several.word = plural(several.word)
        if self._chance(0.5):
            several.preceded("nummod", leaf(self._pick(WORDS["numbers"][:-1]), "NUM"))
        if self._chance(0.8):
            several.preceded("det", leaf(self._pick(("the", "the", "these")), "DET"))
        self._case("of", noun=several)
        roll = self.rng.random()
        if roll < 0.55:
            head = leaf(self._pick(WORDS["superlatives"] + WORDS["comparatives"]), "ADJ")
        elif roll < 0.7:
            head = leaf(self._pick(WORDS["ordinals"]), "ADJ")
        else:
            head = leaf(
                self._pick(
                    ("slice", "piece", "group", "pair", "bunch", "stack", "bowl", "pile", "half", "part")
                ),
                "NOUN",
            )
            if self._chance(0.5):
                self._describe(head)
        if self._chance(0.55):
            head.preceded("det", leaf("the", "DET"))
        head.then("nmod", several)
        if self._chance(0.2):
            self._place_after(head)
        return head

    def _imperative(self) -> Tree:
        return leaf(self._pick(WORDS["imperatives"]), "VERB").then("obj", self._referent())

    def _one(self) -> Tree:
        """A stand-in for a noun: "the red one", "the one with the hat"."""
        one = leaf(self._pick(("one", "one", "one", "ones", "guy", "thing")), "NOUN")
        if self._chance(0.75):
            self._describe(one)
        if self._chance(0.25):
            self._place_before(one)
        if self._chance(0.6):
            one.preceded("det", leaf("the", "DET"))
        if self._chance(0.55):
            self._modify(one)
        return one

    def _existence(self) -> Tree:
        verb = leaf(self._pick(("is", "'s", "are")), "VERB").preceded("expl", leaf("there", "PRON"))
        verb.then("nsubj", self._phrase(articles=0.8))
        if self._chance(0.6):
            self._prepositional(verb, "obl")
        return verb

    def _focus(self) -> Tree:
        return self._referent().preceded(
            "advmod", leaf(self._pick(("just", "only", "mainly", "probably", "maybe")), "ADV")
        )

    def _coordination(self) -> Tree:
        """Two at once: "mom and baby on the right"."""
        root = conjoined(self._phrase(), self._pick(("and", "&", "and")), self._phrase())
        if self._chance(0.5):
            self._modify(root)
        return root

    def _bare(self) -> Tree:
        """One word or two, of any kind."""
        roll = self.rng.random()
        if roll < 0.4:
            return leaf(self._pick(WORDS["colours"] + WORDS["superlatives"] + WORDS["comparatives"]), "ADJ")
        if roll < 0.6:
            return leaf(self._pick(self.adjectives), "ADJ")
        if roll < 0.7:
            return leaf(self._pick(("him", "her", "them", "me", "he", "she", "it")), "PRON")
        return self._noun()
