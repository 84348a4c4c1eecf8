"""Derive PhraseCut's phrase structure (name, attributes, relations) from the grammar of an expression.

Source: the README of ChenyunWu/PhraseCutDataset. "the small mug on the table" is the name "mug", the
attribute "small" and the relation ("on", "table").
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ris.core.expression import ParsedExpression, Word

ExpressionParser = Callable[[str], ParsedExpression]
"""Parses the grammar of an expression; never raises, whatever the text is."""

_NOUN_TAGS = ("NOUN", "PROPN")
_ATTRIBUTE_TAGS = ("ADJ", "NUM", "VERB")
_ARTICLE_TAGS = ("DET", "PRON")


@dataclass(frozen=True, slots=True)
class Phrase:
    """The phrase structure of an expression.

    Attributes:
        name: noun of the referent, without attributes; never empty.
        attributes: the attributes, in the order of the text.
        relations: pairs (predicate, object), neither empty.
    """

    name: str
    attributes: tuple[str, ...] = ()
    relations: tuple[tuple[str, str], ...] = ()

    @property
    def kind(self) -> str:
        """PhraseCut's `type`, from the text alone.

        The original also depends on the other objects in the image, which are not known here.
        """
        if self.relations:
            return "relation"
        return "attribute" if self.attributes else "name"


def read_phrase(parsed: ParsedExpression) -> Phrase:
    """Derive the structure of a parsed expression; without a noun, the whole text is the name."""
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
    """Return the range of words of the referent's noun phrase: first index, and last index + 1."""
    assert parsed.primary is not None
    named = parsed.words[parsed.primary]
    start = parsed.text.rfind(parsed.subject, 0, named.start + len(parsed.subject))
    stop = start + len(parsed.subject)
    if not (start >= 0 and start <= named.start < stop) or parsed.subject == parsed.text:
        start, stop = 0, named.stop
    inside = [i for i, word in enumerate(parsed.words) if start <= word.start < stop]
    return inside[0], max(inside[-1], parsed.primary) + 1


def _find_attributes(words: Sequence[Word]) -> list[str]:
    """Return adjectives, numbers and verbs, each with the adverbs before it."""
    found: list[str] = []
    before: list[str] = []
    for word in words:
        if word.pos in _ATTRIBUTE_TAGS:
            found.append(" ".join([*before, word.text]))
        before = [*before, word.text] if word.pos == "ADV" else []
    return found


def _find_relations(parsed: ParsedExpression, begin: int) -> tuple[list[tuple[str, str]], int]:
    """Find the relations after the referent.

    Returns:
        Pairs of the text before a noun phrase (the predicate) and that phrase; and the index of the first
        word after the last phrase.
    """
    found = []
    for landmark in parsed.landmarks:
        behind = parsed.words[begin].start if begin < len(parsed.words) else len(parsed.text)
        start = parsed.text.find(landmark, behind)
        if start < 0:
            continue  # it is before the referent
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
