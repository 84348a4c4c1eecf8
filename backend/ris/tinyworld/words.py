"""Nouns, synonyms, plurals, numbers and articles of the expressions."""

import random

# The first is the noun itself.
SYNONYMS: dict[str, tuple[str, ...]] = {
    "cup": ("cup", "mug"),
    "plane": ("plane", "airplane"),
    "bicycle": ("bicycle", "bike"),
    "rabbit": ("rabbit", "bunny"),
    "gift": ("gift", "present"),
    "boat": ("boat", "sailboat"),
    "burger": ("burger", "hamburger"),
    "shirt": ("shirt", "t-shirt"),
    "truck": ("truck", "lorry"),
    "flower": ("flower", "tulip"),
    "clock": ("clock", "alarm clock"),
    "bear": ("bear", "teddy bear"),
    "woman": ("woman", "lady"),
    "man": ("man", "guy"),
}

_PLURALS = {
    "sheep": "sheep",
    "fish": "fish",
    "butterfly": "butterflies",
    "bus": "buses",
    "bunny": "bunnies",
    "cactus": "cacti",
    "baby": "babies",
    "man": "men",
    "woman": "women",
    "snowman": "snowmen",
    "lady": "ladies",
    "lorry": "lorries",
    "dress": "dresses",
}

COUNT_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight")
ORDINAL_WORDS = (("first", "1st"), ("second", "2nd"), ("third", "3rd"), ("fourth", "4th"))


def choose_noun_word(noun: str, rng: random.Random) -> str:
    """Choose the noun or, if it has some, at times a synonym."""
    if noun in SYNONYMS and rng.random() < 0.4:
        return rng.choice(SYNONYMS[noun])
    return noun


def to_plural(word: str) -> str:
    """Convert a noun to its plural; of several words the last is converted."""
    first, _, last = word.rpartition(" ")
    return f"{first} {_PLURALS.get(last, last + 's')}".strip()


def add_article(phrase: str) -> str:
    """Put "a" or "an" before a phrase."""
    return f"{'an' if phrase[0] in 'aeiou' else 'a'} {phrase}"
