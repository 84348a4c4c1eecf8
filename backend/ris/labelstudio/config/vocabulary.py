"""The words of a label config: how each label and each choice is written into answers, and what it means.

Label Studio writes a tag's `alias` in place of its `value` (labelstud.io/tags/choice). Both are known here.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from xml.etree.ElementTree import Element

from ris.errors import LabelConfigError

# What says by itself that nothing is meant, in whatever tag.
NO_REFERENT = re.compile(
    r"(there (is|was) )?no (such|matching) (thing|object)( (here|there))?|no referent", re.IGNORECASE
)
# What says so where the tag takes masks or asks for the referent; elsewhere it answers another question.
BARE_NO_REFERENT = re.compile(
    r"none( of (these|them|the above))?|nothing( (there|here|fits|matches))?|no (object|target|match)|absent|"
    r"missing|not (there|present|visible|in the (image|picture))|does not exist|(it )?is not there|invalid",
    re.IGNORECASE,
)
ABOUT_REFERENT = re.compile(r"(the[_ -]?)?(referent|target|object|expression|match|pick)s?", re.IGNORECASE)
KEEP = re.compile(r"keep\b.*(expression|words|prompt|next).*", re.IGNORECASE)
OWN = re.compile(r"(i )?(re)?drew\b.*|.*\bmyself\b.*", re.IGNORECASE)
BARE_OWN = re.compile(r"(re)?drawn?\b.*|(my |an? )?own( mask)?|mine|(an)?other( mask)?", re.IGNORECASE)
ORDINAL = re.compile(r"\d+(st|nd|rd|th)?|first|second|third|fourth|fifth", re.IGNORECASE)


class Meaning(StrEnum):
    """What a choice says about the masks of an answer."""

    RANK = "rank"
    OWN = "own"
    NO_REFERENT = "no referent"
    KEEP = "keep"
    NEUTRAL = "neutral"


@dataclass(frozen=True, slots=True)
class Word:
    """A label or a choice.

    Attributes:
        value: what the annotator reads.
        alias: what answers say in its place; "" when there is none.
    """

    value: str
    alias: str = ""

    @property
    def written(self) -> str:
        """How Label Studio writes it into answers."""
        return self.alias or self.value

    @property
    def forms(self) -> frozenset[str]:
        """All ways in which it may be written, without spaces around them and in lower case."""
        return frozenset({self.value.strip().lower(), self.alias.strip().lower()} - {""})


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of a Choices tag.

    Attributes:
        label: the mask label that it stands for, as written into answers; "" unless it is a rank.
    """

    word: Word
    meaning: Meaning
    label: str = ""


@dataclass(frozen=True, slots=True)
class ChoiceTag:
    """A Choices tag with at least one choice that says something about the masks.

    Attributes:
        from_name, to_name: its name, and the object that it is about.
        options: its choices, in order.
    """

    from_name: str
    to_name: str
    options: tuple[Option, ...]

    @property
    def is_pick(self) -> bool:
        """Whether one of its choices takes an alternative."""
        return any(option.meaning is Meaning.RANK for option in self.options)

    def find(self, said: str) -> Option | None:
        """The choice that an answer names; None when there is no such choice."""
        found = find_word([option.word for option in self.options], said)
        return next((option for option in self.options if option.word is found), None)

    def first(self, meaning: Meaning) -> Option | None:
        """The first choice of a meaning; None when there is none."""
        return next((option for option in self.options if option.meaning is meaning), None)


def read_labels(control: Element) -> tuple[Word, ...]:
    """The labels of a mask control, in order."""
    return tuple(_word(tag) for tag in control.iter("Label"))


def find_word(words: Sequence[Word], said: str) -> Word | None:
    """The word that an answer names, by its alias or else by its value; None when there is none."""
    said = said.strip()
    written = (word for word in words if word.written.strip() == said)
    shown = (word for word in words if word.value.strip() == said)
    alike = (word for word in words if said.lower() in word.forms)
    return next(written, None) or next(shown, None) or next(alike, None)


def read_choice_tags(root: Element, labels: Sequence[Word]) -> tuple[ChoiceTag, ...]:
    """The Choices tags that say something about the masks; choices about single regions do not.

    Args:
        labels: those of the mask control. A tag that names two of them or more picks alternatives.

    Raises:
        LabelConfigError: two tags pick alternatives, one looks as if it did and shares no names with the
            labels, or answers would not tell two labels or two choices apart.
    """
    tags = [tag for tag in root.iter("Choices") if tag.get("perRegion") != "true"]
    pick = _find_pick(tags, labels)
    _check_names(tags, pick, labels)
    read = [_read_tag(tag, labels if tag is pick else ()) for tag in tags]
    return tuple(tag for tag in read if any(o.meaning is not Meaning.NEUTRAL for o in tag.options))


def says_no_referent(said: str) -> bool:
    """Whether a word of a tag that takes masks or asks for the referent says that nothing is meant."""
    return any(pattern.fullmatch(said.strip()) for pattern in (NO_REFERENT, BARE_NO_REFERENT))


def says_own(said: str) -> bool:
    """Whether a word of a tag that takes masks says that the annotator drew the mask."""
    return any(pattern.fullmatch(said.strip()) for pattern in (OWN, BARE_OWN))


def _find_pick(tags: Sequence[Element], labels: Sequence[Word]) -> Element | None:
    found = [
        tag for tag in tags if len({w for t in tag.iter("Choice") if (w := _rank_of(_word(t), labels))}) > 1
    ]
    if len(found) < 2:
        return found[0] if found else None
    named = [tag for tag in found if tag.get("name") == "pick"]
    if len(named) == 1:
        return named[0]
    names = ", ".join(repr(tag.get("name")) for tag in found)
    raise LabelConfigError(
        f"{len(found)} <Choices> name the labels of the masks ({names}): call the one that takes a mask "
        '"pick", or give the others other values'
    )


def _check_names(tags: Sequence[Element], pick: Element | None, labels: Sequence[Word]) -> None:
    if pick is not None and len({label.written.strip().lower() for label in labels}) < len(labels):
        raise LabelConfigError(
            "two labels of the masks are written alike into answers, so that nobody can tell the "
            "alternatives apart: give them different values and aliases"
        )
    for tag in tags if pick is None and len(labels) > 1 else ():
        words = [_word(choice).value for choice in tag.iter("Choice")]
        n_ordinals = sum(bool(ORDINAL.fullmatch(word.strip())) for word in words)
        if tag.get("name", "").lower() == "pick" or n_ordinals > 1:
            raise LabelConfigError(
                f'<Choices name="{tag.get("name")}"> seems to take masks, and its choices ({_list(words)}) '
                f"and the labels of the masks ({_list([label.value for label in labels])}) have fewer than "
                "two names in common: give each rank's choice and label one name"
            )


def _list(words: Sequence[str]) -> str:
    return ", ".join(repr(word) for word in words[:9])


def _read_tag(tag: Element, labels: Sequence[Word]) -> ChoiceTag:
    words = [_word(choice) for choice in tag.iter("Choice")]
    name = tag.get("name", "")
    # A bare "none" is an answer to many questions, e.g. how much is hidden.
    is_about_referent = bool(labels) or bool(ABOUT_REFERENT.fullmatch(name))
    options = tuple(_option(word, labels, is_about_referent) for word in words)
    _check_words(name, options)
    return ChoiceTag(name, tag.get("toName", ""), options)


def _option(word: Word, labels: Sequence[Word], is_about_referent: bool) -> Option:
    if label := _rank_of(word, labels):
        return Option(word, Meaning.RANK, label.written)
    if any(NO_REFERENT.fullmatch(form) for form in word.forms):
        return Option(word, Meaning.NO_REFERENT)
    if is_about_referent and any(BARE_NO_REFERENT.fullmatch(form) for form in word.forms):
        return Option(word, Meaning.NO_REFERENT)
    if any(KEEP.fullmatch(form) for form in word.forms):
        return Option(word, Meaning.KEEP)
    if any(OWN.fullmatch(form) or (labels and BARE_OWN.fullmatch(form)) for form in word.forms):
        return Option(word, Meaning.OWN)
    return Option(word, Meaning.NEUTRAL)


def _rank_of(word: Word, labels: Sequence[Word]) -> Word | None:
    """The label of the same name; by what annotators read first, then by any form."""
    shown = (label for label in labels if label.value.strip().lower() == word.value.strip().lower() != "")
    alike = (label for label in labels if label.forms & word.forms)
    return next(shown, None) or next(alike, None)


def _check_words(name: str, options: Iterable[Option]) -> None:
    meant: dict[str, Option] = {}
    for option in options:
        other = meant.setdefault(option.word.written, option)
        if (other.meaning, other.label) != (option.meaning, option.label):
            raise LabelConfigError(
                f'two choices of <Choices name="{name}"> are both written {option.word.written!r} into '
                "answers: give them different values and aliases"
            )


def _word(tag: Element) -> Word:
    return Word(tag.get("value") or "", tag.get("alias") or "")
