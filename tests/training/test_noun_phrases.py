"""What may stand before a noun."""

import random

from training.noun_phrases import PHRASE_WORDS, NounPhraseGrammar
from training.trees import to_sentence


def test_every_kind_of_word_has_some_and_none_twice():
    for kind in ("people", "clothes", "animals", "furniture", "food", "vehicles", "colours", "superlatives"):
        assert len(set(PHRASE_WORDS[kind])) == len(PHRASE_WORDS[kind]) > 10


def test_a_noun_phrase_ends_with_its_noun():
    phrases = NounPhraseGrammar(
        random.Random(1), nouns=["committee"], adjectives=["annual"], verbs=["approving"]
    )

    for _ in range(300):
        sentence = to_sentence(phrases._make_phrase())

        assert sentence.labels[-1] == "ROOT"
        assert sentence.tags[-1] == "NOUN"
