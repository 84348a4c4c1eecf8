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
        primary: index of the word that names the referent in the first sentence, "mug" in "the left mug";
            None when there is none.
        n_first_sentence: number of words in the first sentence; None means all words.
        raw: as the annotator wrote it; `text` when not given.
        count: number of things that the expression refers to: 1, the stated number ("two dogs", "both cups"),
            or 0 for an unstated number above one ("the dogs").
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
