"""Sentences with dependency trees: reading CoNLL-U, adding noise, conversion to spaCy Docs."""

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from spacy.tokens import Doc
from spacy.vocab import Vocab


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence with its tree.

    Attributes:
        words: in lower case.
        tags: UD parts of speech.
        heads: indices into `words`; a root is its own head. Several roots are several sentences.
        labels: UD relations, "ROOT" for a root, as spaCy writes it.
    """

    words: tuple[str, ...]
    tags: tuple[str, ...]
    heads: tuple[int, ...]
    labels: tuple[str, ...]


def read_conllu(path: Path) -> list[Sentence]:
    """Read the sentences of a treebank file, without multiword ranges and empty nodes."""
    sentences = []
    for block in path.read_text(encoding="utf-8").strip().split("\n\n"):
        rows = [line.split("\t") for line in block.splitlines() if not line.startswith("#")]
        rows = [row for row in rows if row[0].isdigit()]
        sentences.append(
            Sentence(
                words=tuple(row[1].lower() for row in rows),
                tags=tuple(row[3] for row in rows),
                heads=tuple(int(row[6]) - 1 if row[6] != "0" else i for i, row in enumerate(rows)),
                labels=tuple("ROOT" if row[7] == "root" else row[7] for row in rows),
            )
        )
    return sentences


def to_doc(sentence: Sentence, vocab: Vocab) -> Doc:
    """Convert a sentence to a Doc with the tree as its gold annotation."""
    starts: list[bool | int | None] = [*_find_sentence_starts(sentence.heads)]
    return Doc(
        vocab,
        words=list(sentence.words),
        pos=list(sentence.tags),
        heads=list(sentence.heads),
        deps=list(sentence.labels),
        sent_starts=starts,
    )


def _find_sentence_starts(heads: Sequence[int]) -> list[bool]:
    """Find the first word of each tree: True where no arc crosses the boundary before the word."""
    starts, reach = [], 0
    for i, head in enumerate(heads):
        starts.append(i == 0 or reach < i)
        reach = max(reach, i, head, *(j for j, other in enumerate(heads) if other == i))
    return starts


def join_sentences(sentences: Iterable[Sentence]) -> Sentence:
    """Join sentences to one text with several roots."""
    words: list[str] = []
    tags: list[str] = []
    heads: list[int] = []
    labels: list[str] = []
    for sentence in sentences:
        heads += [head + len(words) for head in sentence.heads]
        words += sentence.words
        tags += sentence.tags
        labels += sentence.labels
    return Sentence(tuple(words), tuple(tags), tuple(heads), tuple(labels))


def drop_words(sentence: Sentence, dropped: set[int]) -> Sentence:
    """Remove leaves of the tree, by their indices.

    Raises:
        ValueError: another word depends on one of them.
    """
    kept = [i for i in range(len(sentence.words)) if i not in dropped]
    if any(sentence.heads[i] in dropped for i in kept):
        raise ValueError(f"only leaves can be removed, got {sorted(dropped)} of {' '.join(sentence.words)!r}")
    place = {old: new for new, old in enumerate(kept)}
    return Sentence(
        tuple(sentence.words[i] for i in kept),
        tuple(sentence.tags[i] for i in kept),
        tuple(place[sentence.heads[i]] for i in kept),
        tuple(sentence.labels[i] for i in kept),
    )


def add_noise(sentence: Sentence, rng: random.Random, *, typos: float) -> Sentence:
    """Change a sentence to the way people type: no full stop, at times no articles, typos.

    Args:
        sentence: the sentence.
        rng: the generator.
        typos: share of words with a typo.
    """
    leaves = set(range(len(sentence.words))) - {h for i, h in enumerate(sentence.heads) if h != i}
    dropped: set[int] = set()
    last = len(sentence.words) - 1
    if last > 0 and sentence.labels[last] == "punct" and last in leaves and rng.random() < 0.5:
        dropped.add(last)
    if rng.random() < 0.08:
        dropped |= {
            i for i in leaves if sentence.labels[i] == "det" and sentence.words[i] in ("a", "an", "the")
        }
    if len(dropped) < len(sentence.words):
        sentence = drop_words(sentence, dropped)
    words = tuple(make_typo(word, rng) if rng.random() < typos else word for word in sentence.words)
    return Sentence(words, sentence.tags, sentence.heads, sentence.labels)


def make_typo(word: str, rng: random.Random) -> str:
    """Make one typo in a word; short words and numbers are returned unchanged."""
    if len(word) < 4 or not word.isalpha():
        return word
    i = rng.randrange(1, len(word) - 1)
    slips = (
        word[:i] + word[i + 1 :],
        word[:i] + word[i] + word[i:],
        word[:i] + word[i + 1] + word[i] + word[i + 2 :],
        word[:i] + rng.choice("abcdefghijklmnopqrstuvwxyz") + word[i + 1 :],
        word[:-1],
    )
    return rng.choice(slips)


def find_frequent_words(
    sentences: Iterable[Sentence], tag: str, *, at_least: int, ending: str = ""
) -> list[str]:
    """Find words that occur at least `at_least` times as a part of speech, in alphabetical order."""
    counts = Counter(
        word
        for s in sentences
        for word, t in zip(s.words, s.tags, strict=True)
        if t == tag and word.endswith(ending)
    )
    return sorted(
        word for word, count in counts.items() if count >= at_least and word.isalpha() and len(word) > 2
    )
