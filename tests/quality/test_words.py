import pytest
from hypothesis import given
from hypothesis import strategies as st

from ris.quality.words import (
    find_missing_heads,
    find_nearly_same_words,
    find_odd_characters,
    is_one_edit,
    make_words_key,
    split_words,
)
from tests.builders.checked import checked_task, summarise
from tests.builders.decisions import parse


@pytest.mark.parametrize(
    ("one", "two"),
    [("The left Mug.", "left mug"), ("a  mug", "the mug"), ("\uff4dug", "mug"), ("the mug!", "(the) mug")],
)
def test_texts_with_the_same_words_have_one_key(one, two):
    assert make_words_key(one) == make_words_key(two)


@pytest.mark.parametrize(("one", "two"), [("left mug", "mug left"), ("左のカップ", "右のカップ"), ("?", "!")])
def test_other_words_have_another_key(one, two):
    assert make_words_key(one) != make_words_key(two)


def test_articles_alone_are_words():
    assert split_words("the") == ["the"]


@pytest.mark.parametrize(
    "text",
    [
        "the mug\u200b", "the\x07mug", "the &amp; mug", "<b>the mug</b>", "cafÃ©", "the m\u0443g",
        "the \ufffd mug", "???", "the\ue000mug",
    ],
)  # fmt: skip
def test_odd_characters_are_found(text):
    assert summarise(find_odd_characters(checked_task(1, text))) == [("odd characters", [1])]


@pytest.mark.parametrize(
    "text",
    [
        "the mug", "左のカップ", "café à gauche", "mug & plate", "5 < 6", "the \u201cmug\u201d \u2013 left",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "Ünïcode", "\u0447\u0430\u0448\u043a\u0430",
        "🐱 cat",
    ],
)  # fmt: skip
def test_what_people_type_is_not_odd(text):
    assert list(find_odd_characters(checked_task(1, text))) == []


@given(st.text())
def test_any_text_can_be_checked(text):
    assert len(list(find_odd_characters(checked_task(1, text)))) <= 1


def test_expressions_without_a_noun_are_found_and_parsed_once():
    parsed = []

    def count_parse(text):
        parsed.append(text)
        return parse(text)

    tasks = [
        checked_task(n, words)
        for n, words in enumerate(["the mug", "the left", "左", "the mug", "on the left"])
    ]

    found = list(find_missing_heads(tasks, count_parse))

    assert summarise(found) == [("no noun", [1]), ("no noun", [4])]
    assert parsed == ["the mug", "the left", "on the left"]


def test_a_place_names_no_object():
    """The parser of this test takes every unknown word for a noun."""
    tasks = [checked_task(1, "the middle"), checked_task(2, "the middleman")]

    assert summarise(find_missing_heads(tasks, parse)) == [("no noun", [1])]


@pytest.mark.parametrize(
    ("one", "two", "near"),
    [
        ("mug", "mugs", True), ("mug", "mag", True), ("lfet", "left", True), ("left", "lift", True),
        ("mug", "mug", False),
        ("left", "tfel", False), ("mug", "magg", False), ("abcd", "abdce", False), ("", "a", True),
    ],
)  # fmt: skip
def test_one_edit_is_a_letter_more_less_or_other_or_an_exchange(one, two, near):
    assert is_one_edit(one, two) is near
    assert is_one_edit(two, one) is near


def test_nearly_the_same_words_differ_in_one_letter_of_one_word():
    tasks = [
        checked_task(1, "the yellow mug"), checked_task(2, "yelow mug"), checked_task(3, "the green mug"),
        checked_task(4, "mug yellow"), checked_task(5, "The yellow mug!"),
    ]  # fmt: skip

    assert summarise(find_nearly_same_words(tasks)) == [("nearly the same words", [2, 1])]


def test_short_words_that_differ_are_words_of_their_own():
    assert list(find_nearly_same_words([checked_task(1, "the cat"), checked_task(2, "the car")])) == []
