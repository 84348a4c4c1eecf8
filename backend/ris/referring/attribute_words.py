"""Attribute words of an expression: colour, place, order and size, and the words that cannot be used.

Nothing here knows what a mug is. Words are read where they belong to the referent: a colour or a size inside
another noun phrase describes another thing.
"""

from dataclasses import dataclass, field

from ris.core.expression import ParsedExpression, Word
from ris.referring.colours import COLOUR_WORDS
from ris.referring.direction import find_plain_direction

_ORDINALS = (
    ("first", "1st"), ("second", "2nd"), ("third", "3rd"), ("fourth", "4th"), ("fifth", "5th"),
    ("sixth", "6th"), ("seventh", "7th"), ("eighth", "8th"), ("ninth", "9th"), ("tenth", "10th"),
)  # fmt: skip
ORDINAL_PLACES = {word: place for place, words in enumerate(_ORDINALS) for word in words} | {"last": -1}
_SIZES = {
    "big": {"big", "large", "bigger", "larger", "biggest", "largest", "huge", "giant"},
    "small": {"small", "little", "tiny", "smaller", "smallest", "littlest"},
    "tall": {"tall", "taller", "tallest", "high", "vertical"},
    "short": {"short", "shorter", "shortest"},
    "wide": {"wide", "wider", "widest", "broad", "long", "longer", "longest", "horizontal"},
    "narrow": {"narrow", "thin", "slim", "narrower", "thinner"},
}
_MIDDLE_WORDS = {"middle", "center", "centre", "central"}
_SIDE_WORDS = {
    "left", "leftmost", "west", "western", "right", "rightmost", "east", "eastern", "top", "topmost",
    "above", "north", "upper", "highest", "bottom", "below", "south", "under", "underneath", "beneath",
    "lower", "lowest",
}  # fmt: skip
_FRAME_WORDS = {
    "side", "part", "half", "corner", "edge", "end", "picture", "image", "photo", "photograph", "row", "far",
    "one", "object", "thing", "item", "most", "very", "color", "colour", "colored", "coloured", "order",
}  # fmt: skip
_PERSON_WORDS = {
    "person", "people", "man", "men", "woman", "women", "boy", "boys", "girl", "girls", "child", "children",
    "kid", "kids", "lady", "guy", "gentleman", "player", "baby", "somebody", "someone", "human", "adult",
}  # fmt: skip
_SHADES = {"dark": "dark", "darker": "dark", "darkest": "dark", "light": "light", "lighter": "light",
           "lightest": "light", "pale": "light", "bright": "light"}  # fmt: skip
_NEGATIONS = {"not", "n't", "non", "without", "isnt", "no", "never"}
_NEGATION_REACH = 4  # words after a negation that it turns around
_CONTENT_POS = {"NOUN", "PROPN", "ADJ", "VERB", "NUM"}
_AUXILIARIES = {"is", "are", "was", "be", "being", "has", "have"}


@dataclass(frozen=True, slots=True)
class ColourWish:
    """A colour that the referent has, or has not.

    Attributes:
        colour: one of `BASIC_COLOURS`; "" where only a shade is named.
        shade: "dark", "light" or "" for any.
        negated: whether the referent does not have it.
    """

    colour: str
    shade: str
    negated: bool

    def __str__(self) -> str:
        """Return it in words."""
        return " ".join(part for part in ("not" if self.negated else "", self.shade, self.colour) if part)


@dataclass(frozen=True, slots=True)
class AttributeWords:
    """What an expression says of its referent, without the kinds of things.

    Attributes:
        colours: colours and shades.
        sides: the sides of the image, of "left", "right", "top", "bottom".
        middle: whether it is in the middle.
        ordinal: place in a row, 0 for the first and -1 for the last; None for none.
        size: "big", "small", "tall", "short", "wide", "narrow" or "".
        negated: whether place and size are denied ("not on the left").
        is_person: whether the referent is called a person.
        unused: words that cannot be used, in order.
    """

    colours: tuple[ColourWish, ...] = ()
    sides: tuple[str, ...] = ()
    middle: bool = False
    ordinal: int | None = None
    size: str = ""
    negated: bool = False
    is_person: bool = False
    unused: tuple[str, ...] = field(default=())

    @property
    def is_ordered(self) -> bool:
        """Whether things must be compared with others of their kind."""
        return bool(self.sides or self.middle or self.size or self.ordinal is not None)


def read_attributes(expression: ParsedExpression) -> AttributeWords:
    """Read the words of colour, place, order and size of the referent."""
    own = _find_own_words(expression)
    negated = _find_negated(expression.words)
    used: set[int] = set()
    colours: list[ColourWish] = []
    shades, shade = _find_shades(expression.words, own), ""
    for i in own:
        text = expression.words[i].text
        if text in COLOUR_WORDS:
            colour, fixed = COLOUR_WORDS[text]
            colours.append(ColourWish(colour, shade or fixed, i in negated))
            used.add(i)
        if i in shades:
            used.add(i)
        shade = shades.get(i, "")
    if not colours:
        colours += [ColourWish("", shade, i in negated) for i, shade in shades.items()]
    sides = tuple(side for side in find_plain_direction(expression) if side)
    texts = {i: expression.words[i].text for i in own}
    size, is_denied = "", False
    ordinal = None
    for i, text in texts.items():
        named = next((name for name, words in _SIZES.items() if text in words), "")
        if named or text in ORDINAL_PLACES or text in _MIDDLE_WORDS or (sides and text in _SIDE_WORDS):
            used.add(i)
            size, is_denied = size or named, is_denied or i in negated
            ordinal = ORDINAL_PLACES.get(text, ordinal)
    middle = any(text in _MIDDLE_WORDS for text in texts.values())
    is_person = any(text in _PERSON_WORDS for text in expression.subject.split())
    skipped = _FRAME_WORDS | _NEGATIONS | _AUXILIARIES
    unused = [
        word.text for i, word in enumerate(expression.words)
        if i not in used and word.text not in skipped and word.pos in _CONTENT_POS
        and not (sides and word.text in _SIDE_WORDS)
    ]  # fmt: skip
    return AttributeWords(
        tuple(colours), sides, middle, ordinal, size, is_denied, is_person, tuple(dict.fromkeys(unused))
    )


def _find_own_words(expression: ParsedExpression) -> list[int]:
    """Find the words that are not in the noun phrase of another thing: their indices, in order."""
    taken: set[int] = set()
    for phrase in expression.landmarks:
        if all(word in _PLACE_PHRASE_WORDS for word in phrase.split()):
            continue
        start = expression.text.find(phrase, 0)
        while start >= 0 and phrase:
            stop = start + len(phrase)
            inside = {i for i, w in enumerate(expression.words) if start <= w.start and w.stop <= stop}
            if not inside & taken and not expression.subject.startswith(phrase):
                taken |= inside
                break
            start = expression.text.find(phrase, start + 1)
    return [i for i in range(len(expression.words)) if i not in taken]


def _find_shades(words: tuple[Word, ...], own: list[int]) -> dict[int, str]:
    """Find the words for a shade, by index. The light of "the tail light" is a thing."""
    return {
        i: _SHADES[words[i].text] for i in own
        if words[i].text in _SHADES
        and (words[i].pos != "NOUN" or (i + 1 < len(words) and words[i + 1].text in COLOUR_WORDS))
    }  # fmt: skip


def _find_negated(words: tuple[Word, ...]) -> set[int]:
    return {
        i for i in range(len(words))
        if any(words[j].text in _NEGATIONS for j in range(max(0, i - _NEGATION_REACH), i))
    }  # fmt: skip


_PLACE_PHRASE_WORDS = {
    "the", "a", "of", "in", "on", "at", "from", *_SIDE_WORDS, *_MIDDLE_WORDS, *_FRAME_WORDS, *ORDINAL_PLACES,
    *COLOUR_WORDS, *_SHADES,
}  # fmt: skip
