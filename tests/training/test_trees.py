"""Trees built word by word."""

import pytest

from training.treebank import Sentence
from training.trees import Tree, compound, conjoined, leaf, plural, sentence_of


def test_a_tree_is_read_from_left_to_right():
    tree = Tree("mug", "NOUN", [("det", leaf("the", "DET")), ("amod", leaf("left", "ADJ"))])

    assert sentence_of(tree) == Sentence(
        ("the", "left", "mug"), ("DET", "ADJ", "NOUN"), (2, 2, 2), ("det", "amod", "ROOT")
    )


def test_the_last_word_of_a_compound_is_its_noun():
    assert sentence_of(compound("hot_dog")).labels == ("compound", "ROOT")


def test_a_conjunction_depends_on_what_follows_it():
    sentence = sentence_of(conjoined(leaf("mom", "NOUN"), "and", leaf("dad", "NOUN")))

    assert sentence.words == ("mom", "and", "dad")
    assert sentence.heads == (0, 2, 0)


@pytest.mark.parametrize(
    ("word", "expected"),
    [("dog", "dogs"), ("bus", "bus"), ("child", "children"), ("baby", "babies"), ("couch", "couches")],
)
def test_plurals(word, expected):
    assert plural(word) == expected
