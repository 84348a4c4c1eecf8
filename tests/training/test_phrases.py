"""Generated referring phrases and the trees that they come with."""

import random

from ris.pretrained.language.english_ud import EnglishUD
from ris.pretrained.language.parser import find_referent_chunk
from training.phrases import ExpressionGrammar
from training.treebank import to_doc


def make_grammar(seed: int) -> ExpressionGrammar:
    return ExpressionGrammar(
        random.Random(seed), nouns=["committee"], adjectives=["annual"], verbs=["approving"]
    )


def test_the_same_seed_words_the_same_phrases():
    one, other = make_grammar(5), make_grammar(5)

    assert [one.make_expression() for _ in range(50)] == [other.make_expression() for _ in range(50)]


def test_every_phrase_is_a_projective_tree_that_spacy_takes():
    grammar, vocab = make_grammar(6), EnglishUD().vocab

    for _ in range(500):
        phrase = grammar.make_expression()
        doc = to_doc(phrase, vocab)

        assert len(list(doc.sents)) == phrase.labels.count("ROOT")
        assert all(subtree_is_unbroken(doc, i) for i in range(len(doc)))


def subtree_is_unbroken(doc, i: int) -> bool:
    places = [token.i for token in doc[i].subtree]
    return places == list(range(places[0], places[-1] + 1))


def test_most_phrases_have_a_referent_and_some_have_none():
    grammar, vocab = make_grammar(7), EnglishUD().vocab

    named = sum(find_referent_chunk(to_doc(grammar.make_expression(), vocab)) is not None for _ in range(500))

    assert 400 < named < 490
