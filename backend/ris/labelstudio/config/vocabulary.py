"""Read the labels and choices of a label config: how answers write them, and what they mean.

Label Studio writes a tag's `alias` in place of its `value` (labelstud.io/tags/choice). Both are known here.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from xml.etree.ElementTree import Element

from ris.errors import LabelConfigError

# Means "no such thing" in any tag.
_NO_REFERENT_PATTERN = re.compile(
    r"(there (is|was) )?no (such|matching) (thing|object)( (here|there))?|no referent"
    r"|(the )?object (is )?not in (the |this )?(image|picture)",
    re.IGNORECASE,
)
# Means "no such thing" in a tag that selects masks or asks for the referent. Elsewhere it answers another
# question.
_BARE_NO_REFERENT_PATTERN = re.compile(
    r"none( of (these|them|the above))?|nothing( (there|here|fits|matches))?|no (object|target|match)|absent|"
    r"missing|not (there|present|visible|in (the |this )?(image|picture))"
    r"|does not exist|(it )?is not there|invalid",
    re.IGNORECASE,
)
REFERENT_TAG_PATTERN = re.compile(
    r"(the[_ -]?)?(referent|target|object|expression|match|pick)s?", re.IGNORECASE
)
_KEEP_PATTERN = re.compile(r"keep\b.*(expression|words|prompt|next).*", re.IGNORECASE)
_OWN_PATTERN = re.compile(r"(i )?(re)?drew\b.*|.*\bmyself\b.*|(re)?drawn by (me|hand)", re.IGNORECASE)
_BARE_OWN_PATTERN = re.compile(
    r"(re)?drawn?\b.*|(my |an? )?own( mask)?|mine|(an)?other( mask)?", re.IGNORECASE
)
_ORDINAL_PATTERN = re.compile(r"\d+(st|nd|rd|th)?|first|second|third|fourth|fifth", re.IGNORECASE)


class ChoiceMeaning(StrEnum):
    """What a choice says about the masks of an answer."""

    RANK = "rank"
    OWN = "own"
    NO_REFERENT = "no referent"
    KEEP = "keep"
    NEUTRAL = "neutral"


@dataclass(frozen=True, slots=True)
class Term:
    """A label or a choice.

    Attributes:
        value: what annotators read.
        alias: what answers write in its place; "" if there is none.
    """

    value: str
    alias: str = ""

    @property
    def answer_text(self) -> str:
        """How Label Studio writes it into answers."""
        return self.alias or self.value

    @property
    def forms(self) -> frozenset[str]:
        """All ways in which it may be written, stripped and in lower case."""
        return frozenset({self.value.strip().lower(), self.alias.strip().lower()} - {""})


@dataclass(frozen=True, slots=True)
class ChoiceOption:
    """One choice of a Choices tag.

    Attributes:
        term: how it is written.
        meaning: what it says about the masks.
        label: the mask label that it selects, as answers write it; "" unless it is a rank.
    """

    term: Term
    meaning: ChoiceMeaning
    label: str = ""


@dataclass(frozen=True, slots=True)
class ChoiceTag:
    """A Choices tag with at least one choice that says something about the masks.

    Attributes:
        from_name: its name.
        to_name: the object that it is about.
        options: its choices, in order.
    """

    from_name: str
    to_name: str
    options: tuple[ChoiceOption, ...]

    @property
    def is_pick(self) -> bool:
        """Whether one of its choices selects an alternative."""
        return any(option.meaning is ChoiceMeaning.RANK for option in self.options)

    def find_option(self, text: str) -> ChoiceOption | None:
        """Find the choice that an answer names; None if there is none."""
        found = find_term([option.term for option in self.options], text)
        return next((option for option in self.options if option.term is found), None)

    def find_first_option(self, meaning: ChoiceMeaning) -> ChoiceOption | None:
        """Find the first choice of a meaning; None if there is none."""
        return next((option for option in self.options if option.meaning is meaning), None)


def read_labels(control: Element) -> tuple[Term, ...]:
    """Read the labels of a mask control, in order."""
    return tuple(_make_term(tag) for tag in control.iter("Label"))


def find_term(terms: Sequence[Term], text: str) -> Term | None:
    """Find the term that an answer names, by its alias or else by its value; None if there is none."""
    text = text.strip()
    by_answer = (term for term in terms if term.answer_text.strip() == text)
    by_value = (term for term in terms if term.value.strip() == text)
    by_form = (term for term in terms if text.lower() in term.forms)
    return next(by_answer, None) or next(by_value, None) or next(by_form, None)


def read_choice_tags(root: Element, labels: Sequence[Term]) -> tuple[ChoiceTag, ...]:
    """Read the Choices tags that say something about the masks. Choices about single regions are left out.

    Args:
        root: of a label config.
        labels: of the mask control. A tag that names two of them or more selects alternatives.

    Raises:
        LabelConfigError: two tags select alternatives; one looks as if it did and shares no names with the
            labels; or answers would write two labels or two choices in the same way.
    """
    tags = [tag for tag in root.iter("Choices") if tag.get("perRegion") != "true"]
    pick = _find_pick(tags, labels)
    _check_names(tags, pick, labels)
    choice_tags = [_read_choice_tag(tag, labels if tag is pick else ()) for tag in tags]
    return tuple(
        tag for tag in choice_tags if any(o.meaning is not ChoiceMeaning.NEUTRAL for o in tag.options)
    )


def is_no_referent_term(text: str) -> bool:
    """Tell whether a choice means "no such thing", in a tag that selects masks or asks for the referent."""
    return any(
        pattern.fullmatch(text.strip()) for pattern in (_NO_REFERENT_PATTERN, _BARE_NO_REFERENT_PATTERN)
    )


def is_drawn_term(text: str) -> bool:
    """Tell whether a choice means "I drew it" even where a label of the masks has the same name."""
    return bool(_OWN_PATTERN.fullmatch(text.strip()))


def is_own_term(text: str) -> bool:
    """Tell whether a choice means "I drew it", in a tag that selects masks."""
    return any(pattern.fullmatch(text.strip()) for pattern in (_OWN_PATTERN, _BARE_OWN_PATTERN))


def _find_pick(tags: Sequence[Element], labels: Sequence[Term]) -> Element | None:
    found = [
        tag
        for tag in tags
        if len({w for t in tag.iter("Choice") if (w := _find_rank_label(_make_term(t), labels))}) > 1
    ]
    if len(found) < 2:
        return found[0] if found else None
    named = [tag for tag in found if tag.get("name") == "pick"]
    if len(named) == 1:
        return named[0]
    names = ", ".join(repr(tag.get("name")) for tag in found)
    raise LabelConfigError(
        f"{len(found)} <Choices> name the labels of the masks ({names}): name the one that selects a mask "
        '"pick", or give the others other values'
    )


def _check_names(tags: Sequence[Element], pick: Element | None, labels: Sequence[Term]) -> None:
    if pick is not None and len({label.answer_text.strip().lower() for label in labels}) < len(labels):
        raise LabelConfigError(
            "answers write two labels of the masks in the same way, so that the alternatives cannot be told "
            "apart: give them different values and aliases"
        )
    for tag in tags if pick is None and len(labels) > 1 else ():
        words = [_make_term(choice).value for choice in tag.iter("Choice")]
        n_ordinals = sum(bool(_ORDINAL_PATTERN.fullmatch(word.strip())) for word in words)
        if tag.get("name", "").lower() == "pick" or n_ordinals > 1:
            raise LabelConfigError(
                f'<Choices name="{tag.get("name")}"> seems to select masks, but its choices '
                f"({_join_terms(words)}) and the labels of the masks "
                f"({_join_terms([label.value for label in labels])}) have fewer than "
                "two names in common: give each rank's choice and label one name"
            )


def _join_terms(words: Sequence[str]) -> str:
    return ", ".join(repr(word) for word in words[:9])


def _read_choice_tag(tag: Element, labels: Sequence[Term]) -> ChoiceTag:
    words = [_make_term(choice) for choice in tag.iter("Choice")]
    name = tag.get("name", "")
    # A bare "none" is an answer to many questions, e.g. how much is hidden.
    is_about_referent = bool(labels) or bool(REFERENT_TAG_PATTERN.fullmatch(name))
    options = tuple(_make_option(word, labels, is_about_referent) for word in words)
    _check_terms(name, options)
    return ChoiceTag(name, tag.get("toName", ""), options)


def _make_option(word: Term, labels: Sequence[Term], is_about_referent: bool) -> ChoiceOption:
    if label := _find_rank_label(word, labels):
        return ChoiceOption(word, ChoiceMeaning.RANK, label.answer_text)
    if any(_NO_REFERENT_PATTERN.fullmatch(form) for form in word.forms):
        return ChoiceOption(word, ChoiceMeaning.NO_REFERENT)
    if is_about_referent and any(_BARE_NO_REFERENT_PATTERN.fullmatch(form) for form in word.forms):
        return ChoiceOption(word, ChoiceMeaning.NO_REFERENT)
    if any(_KEEP_PATTERN.fullmatch(form) for form in word.forms):
        return ChoiceOption(word, ChoiceMeaning.KEEP)
    if any(
        _OWN_PATTERN.fullmatch(form) or (labels and _BARE_OWN_PATTERN.fullmatch(form)) for form in word.forms
    ):
        return ChoiceOption(word, ChoiceMeaning.OWN)
    return ChoiceOption(word, ChoiceMeaning.NEUTRAL)


def _find_rank_label(word: Term, labels: Sequence[Term]) -> Term | None:
    """Find the label of the same name: by what annotators read, else by any form.

    A label "drawn by me" is no alternative: a choice of that name means that something was drawn.
    """
    if any(is_drawn_term(form) for form in word.forms):
        return None
    by_value = (label for label in labels if label.value.strip().lower() == word.value.strip().lower() != "")
    by_form = (label for label in labels if label.forms & word.forms)
    return next(by_value, None) or next(by_form, None)


def _check_terms(name: str, options: Iterable[ChoiceOption]) -> None:
    option_by_text: dict[str, ChoiceOption] = {}
    for option in options:
        other = option_by_text.setdefault(option.term.answer_text, option)
        if (other.meaning, other.label) != (option.meaning, option.label):
            raise LabelConfigError(
                f'answers write two choices of <Choices name="{name}"> as {option.term.answer_text!r}: '
                "give them different values and aliases"
            )


def _make_term(tag: Element) -> Term:
    return Term(tag.get("value") or "", tag.get("alias") or "")
