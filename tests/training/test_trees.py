"""Trees built word by word."""

import pytest

from training.treebank import Sentence
from training.trees import PhraseTree, conjoin, make_compound, make_leaf, pluralise, to_sentence


def test_a_tree_is_read_from_left_to_right():
    tree = PhraseTree("mug", "NOUN", [("det", make_leaf("the", "DET")), ("amod", make_leaf("left", "ADJ"))])

    assert to_sentence(tree) == Sentence(
        ("the", "left", "mug"), ("DET", "ADJ", "NOUN"), (2, 2, 2), ("det", "amod", "ROOT")
    )


def test_the_last_word_of_a_compound_is_its_noun():
    assert to_sentence(make_compound("hot_dog")).labels == ("compound", "ROOT")


def test_a_conjunction_depends_on_what_follows_it():
    sentence = to_sentence(conjoin(make_leaf("mom", "NOUN"), "and", make_leaf("dad", "NOUN")))

    assert sentence.words == ("mom", "and", "dad")
    assert sentence.heads == (0, 2, 0)


@pytest.mark.parametrize(
    ("word", "expected"),
    [("dog", "dogs"), ("bus", "bus"), ("child", "children"), ("baby", "babies"), ("couch", "couches")],
)
def test_plurals(word, expected):
    assert pluralise(word) == expected
