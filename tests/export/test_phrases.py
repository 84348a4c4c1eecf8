"""Phrase structures of expressions that the embedded parser has parsed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ris.assembly import make_expression_parser
from ris.export.phrases import Phrase, read_phrase

parse = make_expression_parser()
WORDS = (
    "the", "a", "left", "red", "mug", "dog", "on", "of", "with", "sitting", ",", "man's", "it", "two", "and",
    "table", "'s",
)  # fmt: skip


@pytest.mark.parametrize(
    ("expression", "phrase"),
    [
        ("the mug", Phrase("mug")),
        ("the small red mug", Phrase("mug", ("small", "red"))),
        ("the red mug on the table", Phrase("mug", ("red",), (("on", "table"),))),
        ("coffee mug", Phrase("coffee mug")),
        ("the dog next to the big tree", Phrase("dog", (), (("next to", "big tree"),))),
        ("man sitting on the bench", Phrase("man", (), (("sitting on", "bench"),))),
        ("two dogs", Phrase("dogs", ("two",))),
        ("the very small cat", Phrase("cat", ("very small",))),
        ("🦉", Phrase("🦉")),
        ("", Phrase("thing")),
    ],
)
def test_a_phrase_has_a_name_attributes_and_relations(expression, phrase):
    assert read_phrase(parse(expression)) == phrase


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
        st.lists(
            st.sampled_from(WORDS),
            max_size=9,
        ).map(" ".join),
    )
)
def test_any_words_have_a_name_and_no_part_is_empty(expression):
    found = read_phrase(parse(expression))

    assert found.name.split()
    assert all(attribute.split() for attribute in found.attributes)
    assert all(predicate.split() and thing.split() for predicate, thing in found.relations)
