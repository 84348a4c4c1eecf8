"""An expression, read."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ParsedExpression:
    """What the words are about.

    Attributes:
        text: the whole expression as the text network reads it: lower case, tokens joined by single
            spaces ("man's" becomes "man 's").
        subject: the noun phrase of the referent, determiner included; the whole text when there is none.
        landmarks: the other noun phrases, in order.
    """

    text: str
    subject: str
    landmarks: tuple[str, ...] = ()
