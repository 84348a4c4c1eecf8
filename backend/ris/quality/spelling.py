"""Find probable typos in English expressions."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache

from spellchecker import SpellChecker

from ris.quality.findings import FindingKind, TaskFinding
from ris.store.checked import CheckedTask

_WORD = re.compile(r"\b[a-z]+\b")
_MIN_LETTERS = 4  # shorter words are often names and abbreviations
_OWN_WORD = 3  # images in which an unknown word is used: it is a word of this dataset
_MAX_UNKNOWN = 0.3  # share of unknown words above which the expressions are not in English


@cache
def _load_dictionary() -> SpellChecker:
    return SpellChecker(language="en", distance=1)


def find_typos(tasks: Sequence[CheckedTask]) -> Iterator[TaskFinding]:
    """Find words that no dictionary has and that are one letter away from a word.

    A word that three images use is one of this dataset. Words with capitals are names. If more than 30 % of
    all words are unknown, the expressions are in another language, and nothing is found.
    """
    words_of = [
        [word for word in _WORD.findall(one.task.expression) if len(word) >= _MIN_LETTERS] for one in tasks
    ]
    counts = Counter(word for words in words_of for word in words)
    images: dict[str, set[tuple[str, str]]] = {}
    dictionary = _load_dictionary()
    unknown = dictionary.unknown(counts)
    if sum(counts[word] for word in unknown) > _MAX_UNKNOWN * counts.total():
        return
    for one, words in zip(tasks, words_of, strict=True):
        for word in unknown.intersection(words):
            images.setdefault(word, set()).add(one.image)
    corrections = {
        word: _correct(word, dictionary, counts) for word, seen in images.items() if len(seen) < _OWN_WORD
    }
    for one, words in zip(tasks, words_of, strict=True):
        for word in dict.fromkeys(words):
            if better := corrections.get(word):
                sentence = f"{word!r} may be a typo of {better!r}: correct the expression"
                yield TaskFinding(FindingKind.TYPO, sentence, (one,), {"word": word, "correction": better})


def _correct(word: str, dictionary: SpellChecker, counts: Counter[str]) -> str:
    """Return the known word one letter away that this dataset, and else English, uses most; "" for none."""
    near = dictionary.known(dictionary.edit_distance_1(word))
    return max(
        sorted(near), key=lambda other: (counts[other], dictionary.word_usage_frequency(other)), default=""
    )
