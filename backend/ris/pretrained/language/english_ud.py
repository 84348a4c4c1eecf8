"""The language "en_ud" for spaCy: English with Universal Dependencies.

spaCy's own English finds noun chunks by labels of another scheme (dobj, pobj), in which a preposition is the
head of its noun. Importing this module registers "en_ud", so that `spacy.load` loads a pipeline trained on a
UD treebank and `doc.noun_chunks` works.
"""

from collections.abc import Iterable, Iterator

from spacy.attrs import PREFIX, SHAPE, SUFFIX
from spacy.errors import Errors
from spacy.lang.en import English, EnglishDefaults
from spacy.lang.lex_attrs import word_shape
from spacy.tokens import Doc, Span, Token
from spacy.util import registry

# Relations of dependents that belong to a base noun phrase; prepositional phrases and clauses do not.
_NAMING = frozenset(
    ["det", "det:predet", "amod", "nummod", "compound", "nmod:poss", "nmod:desc", "flat", "fixed", "goeswith"]
)
_INSIDE_BEFORE = _NAMING | {"nmod:unmarked"}  # "year" of "the 5 year old"; after a noun it is another phrase
_INSIDE_AFTER = frozenset(("flat", "fixed", "goeswith"))
_NEVER_A_PHRASE = _NAMING | {"expl", "case", "mark", "cc", "discourse", "reparandum", "punct"}
_NOMINAL = frozenset(("NOUN", "PROPN", "PRON"))
_RELATIVE = frozenset(("that", "which", "who", "whom"))


def find_noun_chunks(doclike: Doc | Span) -> Iterator[tuple[int, int, int]]:
    """Find the base noun phrases of a UD parse, left to right, none inside another.

    A phrase starts at the noun's first determiner, adjective, number, compound or possessor and ends at the
    noun (or at the end of a name: "mary jo foley"). A preposition before it and modifiers after it ("of
    wine", "on the left", "that is red") are not part of it.

    Yields:
        (start, end, label "NP"): token indices in the Doc, end exclusive.

    Raises:
        ValueError: the Doc has no dependencies (spaCy's E029).
    """
    doc = doclike.doc
    if not doc.has_annotation("DEP"):
        raise ValueError(Errors.E029)
    label = doc.vocab.strings.add("NP")
    found: list[tuple[int, int, int]] = []
    # Right to left, because a noun comes after the nouns inside its phrase ("a 12 year old boy").
    for word in reversed(list(doclike)):
        if word.pos_ not in _NOMINAL or not _is_phrase_head(word):
            continue
        start, end = _find_first(word), _find_last(word) + 1
        if not found or end <= found[-1][0]:
            found.append((start, end, label))
    yield from reversed(found)


def _is_phrase_head(word: Token) -> bool:
    if word.lower_ in _RELATIVE and word.head.dep_ == "acl:relcl":
        return False  # it refers to the noun before it, which has its own phrase
    while word.dep_ == "conj" and word.head.i != word.i:
        word = word.head
    return word.dep_ not in _NEVER_A_PHRASE


def _find_first(noun: Token) -> int:
    start = noun.i
    for child in _find_inside(reversed(list(noun.lefts)), _INSIDE_BEFORE):
        start = child.left_edge.i
    return int(start)


def _find_last(noun: Token) -> int:
    end = noun.i
    for child in _find_inside(noun.rights, _INSIDE_AFTER):
        end = child.right_edge.i
    return int(end)


def _find_inside(children: Iterable[Token], labels: frozenset[str]) -> Iterator[Token]:
    """Yield children, nearest first, up to the first with another label; punctuation is skipped."""
    for child in children:
        if child.dep_ in labels:
            yield child
        elif child.dep_ != "punct":
            return


def _get_prefix(text: str) -> str:
    return text.lower()[:3]


def _get_suffix(text: str) -> str:
    return text.lower()[-3:]


def _get_shape(text: str) -> str:
    return str(word_shape(text.lower()))


class EnglishUDDefaults(EnglishDefaults):
    """spaCy's defaults for English, with case-insensitive features and noun chunks of UD."""

    # Expressions are in lower case and a treebank is not; both must give the same features.
    lex_attr_getters = EnglishDefaults.lex_attr_getters | {
        PREFIX: _get_prefix,
        SUFFIX: _get_suffix,
        SHAPE: _get_shape,
    }
    syntax_iterators = {"noun_chunks": find_noun_chunks}  # noqa: RUF012 (spaCy reads it off the class)


@registry.languages("en_ud")
class EnglishUD(English):  # type: ignore[no-untyped-call]  # spaCy's __init_subclass__
    """The language "en_ud"."""

    lang = "en_ud"
    Defaults = EnglishUDDefaults
