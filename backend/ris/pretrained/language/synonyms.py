"""Synonyms of nouns: by WordNet where its data is installed, else equal singular forms only."""

import os
import sys
from pathlib import Path
from typing import Any, Literal

from ris.referring.protocols import Synonyms

_MIN_SIMILARITY = 0.9  # of WordNet's path similarity
_MIN_SENSE_PAIRS = 3


class WordNetSynonyms:
    """The rule of LGD's released code: at least three pairs of senses have a path similarity above 0.9.

    This is not synonymy: a noun with fewer than three senses is not even near itself.

    Args:
        wordnet: NLTK's reader of the WordNet corpus.
    """

    source = "wordnet"

    def __init__(self, wordnet: Any) -> None:
        self.wordnet = wordnet

    def is_near(self, one: str, two: str) -> bool:
        """Whether two nouns are near each other by this rule."""
        close = 0
        for a in self.wordnet.synsets(one):
            for b in self.wordnet.synsets(two):
                close += (a.path_similarity(b) or 0) > _MIN_SIMILARITY
                if close >= _MIN_SENSE_PAIRS:
                    return True
        return False


class PlainSynonyms:
    """The rule without WordNet: equal singular forms."""

    source = "lemma"

    def is_near(self, one: str, two: str) -> bool:
        """Whether two nouns have the same singular form."""
        return to_singular(one) == to_singular(two)


class CombinedSynonyms:
    """LGD's rule or equal singular forms; without the second, "dog" would not be near "dog"."""

    source = "wordnet"

    def __init__(self, wordnet: Any) -> None:
        self.rules = PlainSynonyms(), WordNetSynonyms(wordnet)

    def is_near(self, one: str, two: str) -> bool:
        """Whether one of the two rules holds."""
        return any(rule.is_near(one, two) for rule in self.rules)


def find_synonyms(rule: Literal["released", "plain words"]) -> Synonyms:
    """Find the synonyms for a rule of LGD's settings; WordNet is used if NLTK finds its data on this machine.

    Nothing is downloaded. Without the data both rules are `PlainSynonyms`, whose `source` is "lemma".
    """
    if find_synonym_source() == PlainSynonyms.source:
        return PlainSynonyms()
    from nltk.corpus import wordnet  # here: NLTK takes more than a second to import

    return WordNetSynonyms(wordnet) if rule == "released" else CombinedSynonyms(wordnet)


def find_synonym_source() -> Literal["wordnet", "lemma"]:
    """Return the `source` of `find_synonyms`, without importing NLTK."""
    names = ("wordnet", "wordnet.zip")
    found = any((folder / "corpora" / name).exists() for folder in list_data_folders() for name in names)
    return "wordnet" if found else "lemma"


def list_data_folders() -> list[Path]:
    """List the folders in which NLTK looks for its data; equal to `nltk.data.path` on POSIX."""
    named = [Path(name).expanduser() for name in os.environ.get("NLTK_DATA", "").split(os.pathsep) if name]
    prefix = Path(sys.prefix)
    systems = [Path("/usr") / name for name in ("share", "local/share", "lib", "local/lib")]
    parents = [Path("~").expanduser(), prefix, prefix / "share", prefix / "lib", *systems]
    return [*named, *(parent / "nltk_data" for parent in parents)]


_IRREGULAR_PLURALS = {
    "men": "man", "women": "woman", "people": "person", "children": "child", "feet": "foot", "teeth": "tooth",
    "mice": "mouse", "geese": "goose", "knives": "knife", "shelves": "shelf", "leaves": "leaf",
}  # fmt: skip


def to_singular(noun: str) -> str:
    """Convert a noun to lower case and singular."""
    word = noun.lower().strip()
    if word in _IRREGULAR_PLURALS:
        return _IRREGULAR_PLURALS[word]
    for ending, singular in (("ies", "y"), ("sses", "ss"), ("shes", "sh"), ("ches", "ch"), ("xes", "x")):
        if word.endswith(ending) and len(word) > len(ending) + 1:
            return word.removesuffix(ending) + singular
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word
