"""The entity parse of LGD's released code, on small trees whose answers were worked out by its rules."""

from hypothesis import given
from hypothesis import strategies as st

from ris.core.tree import Node, Tree
from ris.referring.direction import find_released_direction
from ris.referring.entities import Entity, expand_phrases, read_entity


def grow(text, heads, phrases=(), referent=None):
    """A tree from words and the index of each word's head."""
    nodes, start = [], 0
    for word, head in zip(text.split(), heads, strict=True):
        nodes.append(Node(word, "NOUN", start, head))
        start += len(word) + 1
    return Tree(text, tuple(nodes), tuple(phrases), referent)


def test_a_phrase_of_one_word_grows_by_what_hangs_on_it():
    tree = grow("man on left", [0, 0, 1], [(0, 1)])

    assert expand_phrases(tree) == {0: "man on left"}


def test_a_phrase_does_not_take_what_leads_to_another():
    tree = grow("man by a bus", [0, 0, 3, 1], [(0, 1), (2, 4)])

    assert expand_phrases(tree) == {0: "man", 2: "a bus", 3: "a bus"}


def test_what_hangs_before_a_phrase_belongs_to_it():
    tree = grow("left man", [1, 1], [(1, 2)])

    assert expand_phrases(tree) == {1: "left man"}


def test_the_words_between_two_phrases_are_a_relation():
    tree = grow("man left of bus", [0, 0, 1, 2], [(0, 1), (3, 4)])

    assert read_entity(tree) == Entity("man", ((("left", "of"), "bus"),), False)


def test_another_word_of_the_same_phrase_counts_as_another_thing():
    tree = grow("the left man", [2, 2, 2], [(0, 3)])

    assert read_entity(tree) == Entity("the left man", (((), "the left man"),), True)


def test_a_chain_that_ends_without_another_phrase_may_hold_a_superlative():
    assert read_entity(grow("man on left", [0, 0, 1], [(0, 1)])) == Entity("man on left", (), True)
    assert read_entity(grow("man on fire", [0, 0, 1], [(0, 1)])) == Entity("man on fire", (), False)


def test_a_verb_gives_way_to_its_first_child():
    tree = grow("man is tall", [1, 1, 1], [(0, 1)])

    assert read_entity(tree) == Entity("man", (), False)


def test_without_an_entity_at_the_root_the_first_phrase_says_where_to_look():
    tree = grow("now he runs", [2, 2, 2], [(1, 2)])

    assert read_entity(tree) is None  # "runs" again, whose first child is "now"


def test_of_two_roots_the_first_is_read():
    tree = grow("dog cat", [0, 1], [(0, 1), (1, 2)])

    assert read_entity(tree).head == "dog"


def test_an_empty_text_has_no_entity():
    assert read_entity(Tree("")) is None


def test_a_chain_of_two_thousand_words_is_read_to_its_end():
    words = ["mug", *["of"] * 1998, "left"]
    tree = grow(" ".join(words), [0, *range(1999)], [(0, 1)])

    assert read_entity(tree) == Entity(tree.text, (), True)


@given(st.integers(1, 12).flatmap(lambda n: st.tuples(
    st.lists(st.sampled_from(["left", "top", "man", "of", "leftmost", "side"]), min_size=n, max_size=n),
    st.lists(st.integers(0, n - 1), min_size=n, max_size=n), st.lists(st.booleans(), min_size=n, max_size=n),
)))  # fmt: skip
def test_any_tree_has_an_answer(made):
    """Heads to the left only, so that there is no circle; some of the words are phrases."""
    words, heads, named = made
    phrases = [(i, i + 1) for i, is_phrase in enumerate(named) if is_phrase]
    tree = grow(" ".join(words), [min(head, i) for i, head in enumerate(heads)], phrases)

    entity = read_entity(tree)

    assert entity is None or entity.head in tree.text
    assert find_released_direction(tree)[0] in ("top", "bottom", "")
