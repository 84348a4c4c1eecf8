"""PhraseCut's phrase structure of an expression: name, attributes and relations, from its grammar.

Source: the README of ChenyunWu/PhraseCutDataset. "the small mug on the table" is the name "mug", the
attribute "small" and the relation ("on", "table").
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ris.core.expression import ParsedExpression, Word

ExpressionParser = Callable[[str], ParsedExpression]
"""Reads the grammar of an expression; never raises for odd wording."""

_NOUN_TAGS = ("NOUN", "PROPN")
_ATTRIBUTE_TAGS = ("ADJ", "NUM", "VERB")
_ARTICLE_TAGS = ("DET", "PRON")


@dataclass(frozen=True, slots=True)
class Phrase:
    """An expression taken apart.

    Attributes:
        name: what is meant, without its attributes; never empty.
        attributes: in the order of the words.
        relations: (predicate, object) each, neither empty.
    """

    name: str
    attributes: tuple[str, ...] = ()
    relations: tuple[tuple[str, str], ...] = ()

    @property
    def kind(self) -> str:
        """PhraseCut's `type`, by what the words have: nobody has counted what else is in the image."""
        if self.relations:
            return "relation"
        return "attribute" if self.attributes else "name"


def read_phrase(parsed: ParsedExpression) -> Phrase:
    """The structure of a parsed expression; one without a noun is its own name."""
    if parsed.primary is None:
        return Phrase(parsed.text.strip() or parsed.raw.strip() or "thing")
    begin, end = _find_subject(parsed)
    first = parsed.primary
    while first > begin and parsed.words[first - 1].pos in _NOUN_TAGS:
        first -= 1
    name = " ".join(word.text for word in parsed.words[first : parsed.primary + 1])
    relations, rest = _find_relations(parsed, end)
    attributes = [*_find_attributes(parsed.words[begin:first]), *_find_attributes(parsed.words[rest:])]
    return Phrase(name, tuple(attributes), tuple(relations))


def _find_subject(parsed: ParsedExpression) -> tuple[int, int]:
    """The words of the referent's noun phrase: the first, and the one behind the last."""
    assert parsed.primary is not None
    named = parsed.words[parsed.primary]
    start = parsed.text.rfind(parsed.subject, 0, named.start + len(parsed.subject))
    stop = start + len(parsed.subject)
    if not (start >= 0 and start <= named.start < stop) or parsed.subject == parsed.text:
        start, stop = 0, named.stop
    inside = [i for i, word in enumerate(parsed.words) if start <= word.start < stop]
    return inside[0], max(inside[-1], parsed.primary) + 1


def _find_attributes(words: Sequence[Word]) -> list[str]:
    """Adjectives, numbers and verbs, each with the adverbs before it."""
    found: list[str] = []
    before: list[str] = []
    for word in words:
        if word.pos in _ATTRIBUTE_TAGS:
            found.append(" ".join([*before, word.text]))
        before = [*before, word.text] if word.pos == "ADV" else []
    return found


def _find_relations(parsed: ParsedExpression, begin: int) -> tuple[list[tuple[str, str]], int]:
    """What stands before each noun phrase behind the referent, with that phrase; and where the last ends."""
    found = []
    for landmark in parsed.landmarks:
        behind = parsed.words[begin].start if begin < len(parsed.words) else len(parsed.text)
        start = parsed.text.find(landmark, behind)
        if start < 0:
            continue  # it stands before the referent
        inside = [i for i, word in enumerate(parsed.words) if start <= word.start < start + len(landmark)]
        if not inside:
            continue
        predicate = " ".join(w.text for w in parsed.words[begin : inside[0]] if w.pos != "PUNCT")
        thing = " ".join(word.text for word in _drop_article([parsed.words[i] for i in inside]))
        begin = inside[-1] + 1
        if predicate:
            found.append((predicate, thing))
    return found, begin


def _drop_article(words: Sequence[Word]) -> Sequence[Word]:
    return words[1:] if len(words) > 1 and words[0].pos in _ARTICLE_TAGS else words
