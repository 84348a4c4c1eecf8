import pytest

from ris.core.tree import Node, Tree

# "the mug on a plate": mug is the root, "on" hangs on it, "plate" on "on".
MUG = Tree(
    "the mug  on a plate",
    (
        Node("the", "DET", 0, 1),
        Node("mug", "NOUN", 4, 1),
        Node("on", "ADP", 9, 1),
        Node("a", "DET", 12, 4),
        Node("plate", "NOUN", 14, 2),
    ),
    ((0, 2), (3, 5)),
    0,
)


def test_words_are_the_text_between_two_tokens_as_it_stands():
    assert MUG.get_text(0, 3) == "the mug  on"
    assert MUG.noun_phrase == "the mug"
    assert MUG.referent_noun == "mug"


def test_without_a_referent_the_whole_text_stands_for_it():
    tree = Tree("far left", (Node("far", "ADV", 0, 1), Node("left", "ADV", 4, 1)))

    assert (tree.noun_phrase, tree.referent_noun) == ("far left", None)
    assert Tree("").noun_phrase == ""


def test_children_are_in_order_and_ancestors_nearest_first():
    assert MUG.find_children(1) == [0, 2]
    assert MUG.find_children(3) == []
    assert MUG.find_ancestors(3) == [4, 2, 1]
    assert MUG.find_ancestors(1) == []


def test_the_first_noun_of_a_phrase_is_found():
    assert MUG.find_first_noun(0, 5) == "mug"
    assert MUG.find_first_noun(2, 4) is None


@pytest.mark.parametrize(
    ("nodes", "phrases", "referent", "said"),
    [
        ((Node("a", "DET", 0, 1),), (), None, "every head of 1 tokens"),
        ((Node("a", "DET", 0, 0),), ((0, 2),), None, "every phrase must have tokens of the 1"),
        ((Node("a", "DET", 0, 0),), ((0, 0),), None, "every phrase must have tokens"),
        ((Node("a", "DET", 0, 0),), ((0, 1),), 1, "there is no phrase 1 of 1"),
    ],
)
def test_a_tree_that_cannot_be_is_refused(nodes, phrases, referent, said):
    with pytest.raises(ValueError, match=said):
        Tree("a", nodes, phrases, referent)
