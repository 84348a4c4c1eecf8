"""The little language's small words."""

import random

import pytest

from ris.tinyworld.sprites import NOUNS
from ris.tinyworld.words import SYNONYMS, add_article, choose_noun_word, to_plural


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("dog", "dogs"),
        ("sheep", "sheep"),
        ("woman", "women"),
        ("alarm clock", "alarm clocks"),
        ("bunny", "bunnies"),
    ],
)
def test_plurals(word, expected):
    assert to_plural(word) == expected


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [("orange dog", "an orange dog"), ("red owl", "a red owl"), ("umbrella", "an umbrella")],
)
def test_articles(phrase, expected):
    assert add_article(phrase) == expected


def test_no_word_names_two_nouns():
    words = [word for noun in NOUNS for word in SYNONYMS.get(noun, (noun,))]

    assert len(set(words)) == len(words)
    assert set(SYNONYMS) <= set(NOUNS)


def test_synonyms_are_said_now_and_then():
    rng = random.Random(0)

    assert {choose_noun_word("cup", rng) for _ in range(50)} == {"cup", "mug"}
    assert {choose_noun_word("dog", rng) for _ in range(50)} == {"dog"}
