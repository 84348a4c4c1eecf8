"""Parsed expressions."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Word:
    """One token of an expression.

    Attributes:
        text: as in the normalised expression.
        pos: its universal part of speech: NOUN, ADJ, ADP ...
        start: index of its first character in the normalised expression.
    """

    text: str
    pos: str
    start: int

    @property
    def stop(self) -> int:
        """Index after its last character."""
        return self.start + len(self.text)


@dataclass(frozen=True, slots=True)
class ParsedExpression:
    """An expression with its noun phrases.

    Attributes:
        text: the whole expression as the text network reads it: lower case, tokens joined by single
            spaces ("man's" becomes "man 's").
        subject: the noun phrase of the referent, determiner included; the whole text when there is none.
        landmarks: the other noun phrases, in order.
        words: the tokens of `text`, in order.
        primary: which word names the referent in the first sentence: "mug" of "the left mug"; None when
            none does.
        n_first_sentence: how many of the words are the first sentence's; None means all.
        raw: as the annotator wrote it; `text` where nobody kept that.
        count: how many things are meant: 1; a number that was said ("two dogs", "both cups"); 0 when
            several are meant and nobody said how many ("the dogs").
    """

    text: str
    subject: str
    landmarks: tuple[str, ...] = ()
    words: tuple[Word, ...] = ()
    primary: int | None = None
    count: int = 1
    raw: str = ""
    n_first_sentence: int | None = None

    def __post_init__(self) -> None:
        if not self.raw:
            object.__setattr__(self, "raw", self.text)
