"""Random referring expressions with their gold trees, as people type them: few articles and verbs.

A treebank of web pages has hardly any such phrases, and a parser that was trained on sentences alone takes
"kid far left" for a clause. The grammar below builds the tree together with the words.
"""

from training.noun_phrases import PHRASE_WORDS, NounPhraseGrammar
from training.treebank import Sentence, join_sentences
from training.trees import PhraseTree, conjoin, make_compound, make_leaf, pluralise, to_sentence


class ExpressionGrammar(NounPhraseGrammar):
    """Writes random referring expressions."""

    def make_expression(self) -> Sentence:
        """Make one phrase, rarely two as in "man in red. not the one on the left"."""
        first = to_sentence(self._make_tree())
        if not self._is_drawn(0.03):
            return first
        stop = to_sentence(self._make_tree().append("punct", make_leaf(".", "PUNCT")))
        return join_sentences((stop, first))

    def _make_tree(self) -> PhraseTree:
        forms = (
            (56, self._make_referent),
            (7, self._make_list),
            (6, self._make_clause),
            (4, self._make_place),
            (4, self._make_negated_referent),
            (3, self._make_participle),
            (3, self._make_choice_of_several),
            (3, self._make_imperative),
            (5, self._make_stand_in),
            (1, self._make_existence),
            (3, self._make_focus),
            (2, self._make_coordination),
            (2, self._make_bare_word),
        )
        weights, makers = zip(*forms, strict=True)
        tree: PhraseTree = self.rng.choices(makers, weights)[0]()
        return tree

    # Modifiers after a noun

    def _make_referent(self) -> PhraseTree:
        noun = self._make_phrase()
        for _ in range(self.rng.choices((0, 1, 2, 3), (22, 50, 22, 6))[0]):
            self._add_modifier(noun)
        return noun

    def _add_modifier(self, noun: PhraseTree) -> None:
        makers = (
            (20, self._add_prepositional),
            (16, self._add_place_after),
            (9, self._add_near),
            (6, self._add_relative_place),
            (12, self._add_action),
            (5, self._add_posture),
            (4, self._add_passive),
            (7, self._add_relative_clause),
            (4, self._add_negation),
            (3, self._add_ordinal),
            (4, self._add_after_comma),
            (1, self._add_intention),
            (1, self._add_number),
        )
        weights, options = zip(*makers, strict=True)
        self.rng.choices(options, weights)[0](noun)

    def _make_landmark(self) -> PhraseTree:
        """Make a landmark, a phrase that is rarely modified itself."""
        if self._is_drawn(0.04):
            return make_leaf(self._pick(PHRASE_WORDS["pronouns"]), "PRON")
        noun = self._make_phrase(articles=0.55)
        if self._is_drawn(0.12):
            self._add_prepositional(noun)
        if self._is_drawn(0.04):
            conjoin(noun, "and", self._make_phrase())
        return noun

    def _add_case(self, *words: str, noun: PhraseTree) -> PhraseTree:
        for word in reversed(words):
            noun.prepend("case", make_leaf(word, "ADP"))
        return noun

    def _add_prepositional(self, noun: PhraseTree, relation: str = "nmod") -> None:
        roll = self.rng.random()
        if roll < 0.3:
            self._add_clothes(noun, relation)
        elif roll < 0.45:
            place = self._make_phrase(make_leaf(self._pick(PHRASE_WORDS["places"]), "NOUN"), articles=0.7)
            noun.append(relation, self._add_case(self._pick(("in", "on", "at", "from", "of")), noun=place))
        elif roll < 0.5:
            both = conjoin(self._make_phrase(), "and", self._make_phrase())
            noun.append(relation, self._add_case("between", noun=both))
        else:
            noun.append(
                relation, self._add_case(self._pick(PHRASE_WORDS["near"]), noun=self._make_landmark())
            )

    def _add_clothes(self, noun: PhraseTree, relation: str) -> None:
        preposition = self._pick(("in", "in", "with", "with", "w", "without"))
        clothes: PhraseTree = make_leaf(self._pick(PHRASE_WORDS["colours"]), "NOUN")
        if self._is_drawn(0.75):
            clothes = self._make_phrase(
                make_compound(
                    self._pick(
                        self.rng.choice(
                            (
                                PHRASE_WORDS["clothes"],
                                PHRASE_WORDS["clothes"],
                                PHRASE_WORDS["parts"],
                                PHRASE_WORDS["things"],
                            )
                        )
                    )
                ),
                articles=0.25,
            )
            if self._is_drawn(0.12):
                conjoin(
                    clothes,
                    "and",
                    self._make_phrase(make_compound(self._pick(PHRASE_WORDS["clothes"])), articles=0.1),
                )
            if self._is_drawn(0.1):
                self._add_prepositional(clothes)
        noun.append(relation, self._add_case(preposition, noun=clothes))

    def _add_place_after(self, noun: PhraseTree) -> None:
        makers = (
            self._make_side_adverb,
            self._make_side_phrase,
            self._make_side_phrase,
            self._make_corner,
            self._make_side_noun,
        )
        noun.append(*self.rng.choice(makers)())

    def _make_side_adverb(self) -> tuple[str, PhraseTree]:
        """Make a place of one or two words: "left", "far left", "bottom right", "closest"."""
        side = make_leaf(self._pick(PHRASE_WORDS["ends"][:-1]), "ADV")
        if self._is_drawn(0.45):
            side.word = self._pick(("left", "right"))
            side.prepend(
                "advmod",
                make_leaf(
                    self._pick(("far", "far", "bottom", "top", "upper", "lower", "back", "front")), "ADV"
                ),
            )
        if self._is_drawn(0.08):
            side = make_leaf(self._pick(PHRASE_WORDS["superlatives"] + PHRASE_WORDS["comparatives"]), "ADJ")
        return ("amod" if side.tag == "ADJ" else "advmod"), side

    def _make_side_phrase(self) -> tuple[str, PhraseTree]:
        """Make a side: "on left", "to the far right of the picture", "all the way on the left"."""
        side = make_leaf(self._pick(PHRASE_WORDS["ends"]), "NOUN")
        if self._is_drawn(0.15):
            side.word = self._pick(("side", "end", "edge", "half", "row", "part"))
            side.prepend("amod", make_leaf(self._pick(PHRASE_WORDS["sides"]), "ADJ"))
        elif self._is_drawn(0.2):
            side.prepend(
                "amod",
                make_leaf(self._pick(("far", "very", "extreme", "bottom", "top", "lower", "upper")), "ADJ"),
            )
        if self._is_drawn(0.5):
            side.prepend("det", make_leaf("the", "DET"))
        self._add_case(self._pick(("on", "on", "on", "to", "in", "at", "from")), noun=side)
        if self._is_drawn(0.1):
            way = PhraseTree(
                "way", "NOUN", [("det:predet", make_leaf("all", "DET")), ("det", make_leaf("the", "DET"))]
            )
            side.prepend("obl:unmarked", way)
        if self._is_drawn(0.15):
            side.append(
                "nmod",
                self._add_case(
                    "of",
                    noun=self._make_phrase(
                        make_leaf(self._pick(PHRASE_WORDS["places"] + PHRASE_WORDS["things"]), "NOUN"),
                        articles=0.8,
                    ),
                ),
            )
        return "nmod", side

    def _make_corner(self) -> tuple[str, PhraseTree]:
        corner = make_leaf(self._pick(("corner", "corner", "side", "area", "row", "edge", "part")), "NOUN")
        corner.prepend("amod", make_leaf(self._pick(("left", "right")), "ADJ"))
        corner.prepend(
            "amod", make_leaf(self._pick(("top", "bottom", "upper", "lower", "far", "front", "back")), "ADJ")
        )
        if self._is_drawn(0.5):
            return "nmod:unmarked", corner
        if self._is_drawn(0.6):
            corner.prepend("det", make_leaf("the", "DET"))
        return "nmod", self._add_case(self._pick(("in", "in", "at", "on")), noun=corner)

    def _make_side_noun(self) -> tuple[str, PhraseTree]:
        """Make a side without a preposition: "left side"."""
        side = make_leaf(self._pick(("side", "side", "edge", "end", "row", "hand")), "NOUN")
        return "nmod:unmarked", side.prepend("amod", make_leaf(self._pick(PHRASE_WORDS["sides"]), "ADJ"))

    def _add_near(self, noun: PhraseTree) -> None:
        """Add an adjective or adverb with a landmark: "next to the tree", "left of the lamp"."""
        word, preposition = self._pick(PHRASE_WORDS["beside"]).split("_")
        tag = "ADV" if word in ("next", "left", "right", "away") else "ADJ"
        near = make_leaf(word, tag)
        landmark = self._make_landmark()
        if preposition != "-":
            self._add_case(preposition, noun=landmark)
        noun.append("advmod" if tag == "ADV" else "amod", near.append("obl", landmark))

    def _add_relative_place(self, noun: PhraseTree) -> None:
        """Add a side of a landmark: "in front of the bus", "to the left of the lamp"."""
        words = self._pick(PHRASE_WORDS["sides_of"]).split("_")
        side = make_leaf(words[-1], "NOUN")
        for word in reversed(words[1:-1]):
            side.prepend(
                *(("det", make_leaf(word, "DET")) if word == "the" else ("amod", make_leaf(word, "ADJ")))
            )
        self._add_case(words[0], noun=side)
        noun.append("nmod", side.append("nmod", self._add_case("of", noun=self._make_landmark())))

    def _make_gerund(self) -> PhraseTree:
        """Make an action: "holding a ball", "looking at the dog"."""
        if self._is_drawn(0.25):
            return make_leaf(self._pick(self.verbs), "VERB").append("obj", self._make_landmark())
        verb, *preposition = self._pick(PHRASE_WORDS["doing"]).split("_")
        tree = make_leaf(verb, "VERB")
        if preposition:
            return tree.append("obl", self._add_case(preposition[0], noun=self._make_landmark()))
        worn = verb == "wearing" or self._is_drawn(0.15)
        thing = (
            self._make_phrase(make_compound(self._pick(PHRASE_WORDS["clothes"])))
            if worn
            else self._make_landmark()
        )
        if worn and self._is_drawn(0.12):
            conjoin(
                thing,
                "and",
                self._make_phrase(make_compound(self._pick(PHRASE_WORDS["clothes"])), articles=0.2),
            )
        if self._is_drawn(0.08):
            tree.append("compound:prt", make_leaf(self._pick(("up", "out", "off", "down")), "ADP"))
        return tree.append("obj", thing)

    def _add_action(self, noun: PhraseTree) -> None:
        gerund = self._make_gerund()
        if self._is_drawn(0.12):
            self._add_place_of_action(gerund)
        noun.append("acl", gerund)

    def _add_place_of_action(self, verb: PhraseTree) -> None:
        relation, place = self.rng.choice((self._make_side_phrase, self._make_corner))()
        verb.append("obl" if relation == "nmod" else "obl:unmarked", place)

    def _make_posture(self) -> PhraseTree:
        """Make a posture: "sitting down", "standing behind the car", "looking left"."""
        verb = make_leaf(self._pick(PHRASE_WORDS["posing"] if self._is_drawn(0.8) else self.verbs), "VERB")
        roll = self.rng.random()
        if roll < 0.2:
            verb.append(
                "advmod",
                make_leaf(
                    self._pick(PHRASE_WORDS["particles"] + ["left", "right", "alone", "together"]), "ADV"
                ),
            )
        elif roll < 0.6:
            verb.append("obl", self._add_case(self._pick(PHRASE_WORDS["near"]), noun=self._make_landmark()))
        elif roll < 0.75:
            self._add_near_to_action(verb)
        return verb

    def _add_near_to_action(self, verb: PhraseTree) -> None:
        verb.append(
            "advmod", make_leaf("next", "ADV").append("obl", self._add_case("to", noun=self._make_landmark()))
        )

    def _add_posture(self, noun: PhraseTree) -> None:
        noun.append("acl", self._make_posture())

    def _add_passive(self, noun: PhraseTree) -> None:
        """Add a passive participle: "parked next to the tree", "cut off on the right"."""
        verb = make_leaf(self._pick(PHRASE_WORDS["done"]), "VERB")
        roll = self.rng.random()
        if roll < 0.25:
            verb.append("compound:prt", make_leaf(self._pick(("off", "up", "on", "out", "down")), "ADP"))
        if roll < 0.6:
            verb.append(
                "obl",
                self._add_case(
                    self._pick(("in", "on", "by", "with", "of", "behind")), noun=self._make_landmark()
                ),
            )
        elif roll < 0.8:
            self._add_near_to_action(verb)
        if self._is_drawn(0.15):
            verb.prepend("advmod", make_leaf(self._pick(("not", "partially", "half", "mostly")), "ADV"))
        noun.append("acl", verb)

    def _negate(self, tree: PhraseTree) -> PhraseTree:
        return tree.prepend("advmod", make_leaf("not", "PART"))

    def _make_predicate(self) -> PhraseTree:
        """Make a predicate, without its copula."""
        roll = self.rng.random()
        if roll < 0.3:
            predicate = make_leaf(
                self._pick(PHRASE_WORDS["colours"] if self._is_drawn(0.6) else PHRASE_WORDS["looks"][:40]),
                "ADJ",
            )
            if self._is_drawn(0.1):
                conjoin(
                    predicate,
                    self._pick(("and", "or", "nor")),
                    make_leaf(self._pick(PHRASE_WORDS["colours"]), "ADJ"),
                )
            elif self._is_drawn(0.1):
                predicate = make_leaf(self._pick(self.adjectives), "ADJ")
            elif self._is_drawn(0.1):
                predicate = make_leaf(
                    self._pick(PHRASE_WORDS["superlatives"] + PHRASE_WORDS["comparatives"]), "ADJ"
                )
                if self._is_drawn(0.5):
                    predicate.prepend("det", make_leaf("the", "DET"))
        elif roll < 0.5:
            predicate = self._make_side_phrase()[1]
        elif roll < 0.6:
            predicate = self._add_case(self._pick(PHRASE_WORDS["near"]), noun=self._make_landmark())
        elif roll < 0.8:
            predicate = self._make_gerund()
        else:
            predicate = self._make_posture()
        return predicate

    def _add_copula(self, predicate: PhraseTree) -> PhraseTree:
        """Add "is" or "is not" before a predicate, as copula or auxiliary."""
        if self._is_drawn(0.3):
            self._negate(predicate)
        relation = "aux" if predicate.tag == "VERB" else "cop"
        return predicate.prepend(
            relation, make_leaf(self._pick(("is", "is", "is", "are", "was", "'s")), "AUX")
        )

    def _add_relative_clause(self, noun: PhraseTree) -> None:
        roll = self.rng.random()
        pronoun = make_leaf(self._pick(("that", "that", "who", "which")), "PRON")
        if roll < 0.6:
            noun.append("acl:relcl", self._add_copula(self._make_predicate()).prepend("nsubj", pronoun))
        elif roll < 0.8:
            verb = make_leaf(self._pick(("has", "has", "looks", "holds", "wears", "have")), "VERB")
            clause = verb.prepend("nsubj", pronoun).append("obj", self._make_landmark())
            if self._is_drawn(0.3):
                clause.append(
                    "obl",
                    self._add_case(
                        self._pick(("on", "in")), noun=make_leaf(self._pick(PHRASE_WORDS["pronouns"]), "PRON")
                    ),
                )
            noun.append("acl:relcl", clause)
        elif roll < 0.9:
            owned = make_leaf(self._pick(PHRASE_WORDS["parts"]), "NOUN").prepend(
                "nmod:poss", make_leaf("whose", "PRON")
            )
            predicate = self._add_copula(
                make_leaf(
                    self._pick(
                        PHRASE_WORDS["colours"] + PHRASE_WORDS["looks"][:20] + ["down", "up", "visible"]
                    ),
                    "ADJ",
                )
            )
            noun.append("acl:relcl", predicate.prepend("nsubj", owned))
        else:
            verb = make_leaf(self._pick(("see", "ride", "hold", "eat", "touch", "watch")), "VERB")
            verb.prepend("aux", make_leaf(self._pick(("can", "could", "will")), "AUX"))
            subject = (
                make_leaf("you", "PRON")
                if self._is_drawn(0.5)
                else self._make_phrase(make_leaf(self._pick(PHRASE_WORDS["people"][:8]), "NOUN"))
            )
            noun.append("acl:relcl", verb.prepend("nsubj", subject))

    def _add_negation(self, noun: PhraseTree) -> None:
        """Add a negation: "not red", "not on the left", "neither red nor blue"."""
        predicate = self._make_predicate()
        if predicate.tag == "ADJ" and self._is_drawn(0.2):
            predicate = make_leaf(self._pick(PHRASE_WORDS["colours"]), "ADJ").prepend(
                "cc:preconj", make_leaf("neither", "CCONJ")
            )
            conjoin(predicate, "nor", make_leaf(self._pick(PHRASE_WORDS["colours"]), "ADJ"))
        else:
            self._negate(predicate)
        relation = {"ADJ": "amod", "VERB": "acl"}.get(predicate.tag, "nmod")
        if self._is_drawn(0.2):
            predicate.prepend("punct", make_leaf(",", "PUNCT"))
        noun.append(relation, predicate)

    def _add_ordinal(self, noun: PhraseTree) -> None:
        """Add a place in a row: "second from the left"."""
        side = make_leaf(self._pick(PHRASE_WORDS["ends"][:4]), "NOUN")
        if self._is_drawn(0.6):
            side.prepend("det", make_leaf("the", "DET"))
        ordinal = make_leaf(self._pick(PHRASE_WORDS["ordinals"]), "ADJ")
        if self._is_drawn(0.2):
            ordinal.prepend("punct", make_leaf(",", "PUNCT"))
        noun.append("amod", ordinal.append("obl", self._add_case("from", noun=side)))

    def _add_after_comma(self, noun: PhraseTree) -> None:
        roll = self.rng.random()
        if roll < 0.35:
            predicate = make_leaf(self._pick(PHRASE_WORDS["colours"] + PHRASE_WORDS["looks"][:30]), "ADJ")
            relation = "amod"
        elif roll < 0.7:
            relation, predicate = self.rng.choice(
                (self._make_side_phrase, self._make_side_adverb, self._make_corner, self._make_side_noun)
            )()
        else:
            relation, predicate = "list", self._make_phrase()
        noun.append(relation, predicate.prepend("punct", make_leaf(",", "PUNCT")))

    def _add_intention(self, noun: PhraseTree) -> None:
        verb = make_leaf(
            self._pick(("hit", "throw", "catch", "jump", "eat", "kick", "serve", "ride")), "VERB"
        )
        verb.prepend("mark", make_leaf("to", "PART"))
        if self._is_drawn(0.6):
            verb.append("obj", self._make_landmark())
        word = self._pick(("about", "ready"))
        noun.append("amod", make_leaf(word, "ADJ").append("advcl", verb))

    def _add_number(self, noun: PhraseTree) -> None:
        number = make_leaf("number", "NOUN") if self._is_drawn(0.7) else make_leaf("#", "SYM")
        number.append("nummod", make_leaf(str(self.rng.randrange(100)), "NUM"))
        if self._is_drawn(0.7):
            self._add_case("with", noun=number)
        noun.append("nmod", number)

    # Expressions that are not one noun phrase

    def _make_list(self) -> PhraseTree:
        """Make a list of phrases: "black suit, red tie", "kid on the right, green shirt"."""
        root = self._make_referent()
        for _ in range(self.rng.choice((1, 1, 2))):
            other = self._make_phrase(articles=0.15)
            if self._is_drawn(0.3):
                self._add_place_after(other)
            comma = self._is_drawn(0.85)
            root.append("list", other.prepend("punct", make_leaf(",", "PUNCT")) if comma else other)
        return root

    def _make_clause(self) -> PhraseTree:
        """Make a sentence: "the dog is on the left", "man is holding ball"."""
        subject = self._make_phrase(articles=0.6)
        if self._is_drawn(0.25):
            self._add_modifier(subject)
        return self._add_copula(self._make_predicate()).prepend("nsubj", subject)

    def _make_place(self) -> PhraseTree:
        relation, place = self.rng.choice(
            (
                self._make_side_adverb,
                self._make_side_phrase,
                self._make_corner,
                self._make_side_noun,
                self._make_side_adverb,
            )
        )()
        if relation == "advmod":
            place.tag = "ADJ"
        return place

    def _make_negated_referent(self) -> PhraseTree:
        return self._negate(self._make_referent())

    def _make_participle(self) -> PhraseTree:
        """Make an action without its subject: "wearing a yellow coat"."""
        return self.rng.choice((self._make_gerund, self._make_posture))()

    def _make_choice_of_several(self) -> PhraseTree:
        """Make a choice: "the smaller of the two dogs", "slice of pizza"."""
        several = self._make_phrase(articles=0)
        several.word = pluralise(several.word)
        if self._is_drawn(0.5):
            several.prepend("nummod", make_leaf(self._pick(PHRASE_WORDS["numbers"][:-1]), "NUM"))
        if self._is_drawn(0.8):
            several.prepend("det", make_leaf(self._pick(("the", "the", "these")), "DET"))
        self._add_case("of", noun=several)
        roll = self.rng.random()
        if roll < 0.55:
            head = make_leaf(self._pick(PHRASE_WORDS["superlatives"] + PHRASE_WORDS["comparatives"]), "ADJ")
        elif roll < 0.7:
            head = make_leaf(self._pick(PHRASE_WORDS["ordinals"]), "ADJ")
        else:
            head = make_leaf(
                self._pick(
                    ("slice", "piece", "group", "pair", "bunch", "stack", "bowl", "pile", "half", "part")
                ),
                "NOUN",
            )
            if self._is_drawn(0.5):
                self._add_description(head)
        if self._is_drawn(0.55):
            head.prepend("det", make_leaf("the", "DET"))
        head.append("nmod", several)
        if self._is_drawn(0.2):
            self._add_place_after(head)
        return head

    def _make_imperative(self) -> PhraseTree:
        return make_leaf(self._pick(PHRASE_WORDS["imperatives"]), "VERB").append("obj", self._make_referent())

    def _make_stand_in(self) -> PhraseTree:
        """Make a phrase with a stand-in for the noun: "the red one", "the one with the hat"."""
        one = make_leaf(self._pick(("one", "one", "one", "ones", "guy", "thing")), "NOUN")
        if self._is_drawn(0.75):
            self._add_description(one)
        if self._is_drawn(0.25):
            self._add_place_before(one)
        if self._is_drawn(0.6):
            one.prepend("det", make_leaf("the", "DET"))
        if self._is_drawn(0.55):
            self._add_modifier(one)
        return one

    def _make_existence(self) -> PhraseTree:
        verb = make_leaf(self._pick(("is", "'s", "are")), "VERB").prepend("expl", make_leaf("there", "PRON"))
        verb.append("nsubj", self._make_phrase(articles=0.8))
        if self._is_drawn(0.6):
            self._add_prepositional(verb, "obl")
        return verb

    def _make_focus(self) -> PhraseTree:
        return self._make_referent().prepend(
            "advmod", make_leaf(self._pick(("just", "only", "mainly", "probably", "maybe")), "ADV")
        )

    def _make_coordination(self) -> PhraseTree:
        """Make a coordination: "mom and baby on the right"."""
        root = conjoin(self._make_phrase(), self._pick(("and", "&", "and")), self._make_phrase())
        if self._is_drawn(0.5):
            self._add_modifier(root)
        return root

    def _make_bare_word(self) -> PhraseTree:
        """Make one or two words of any kind."""
        roll = self.rng.random()
        if roll < 0.4:
            return make_leaf(
                self._pick(
                    PHRASE_WORDS["colours"] + PHRASE_WORDS["superlatives"] + PHRASE_WORDS["comparatives"]
                ),
                "ADJ",
            )
        if roll < 0.6:
            return make_leaf(self._pick(self.adjectives), "ADJ")
        if roll < 0.7:
            return make_leaf(self._pick(("him", "her", "them", "me", "he", "she", "it")), "PRON")
        return self._make_noun()
