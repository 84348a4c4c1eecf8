"""What the choices of an answer say, read with the words of the label config."""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from ris.errors import ChoiceError
from ris.labelstudio.config.control import Controls
from ris.labelstudio.config.vocabulary import (
    ChoiceMeaning,
    ChoiceOption,
    ChoiceTag,
    Term,
    find_term,
    is_no_referent_term,
    is_own_term,
)

RENAMED_HINT = "was it renamed? Give it back its name, and sync the project again"


@dataclass(frozen=True, slots=True)
class SelectedChoices:
    """What was chosen.

    Attributes:
        ranks: labels whose masks are meant, and the choice that said so.
        own: the choice that says "I drew it"; "" when it was not made.
        no_referent: the choice that says "no such thing"; "" when it was not made.
    """

    ranks: Mapping[str, str] = field(default_factory=dict)
    own: str = ""
    no_referent: str = ""


def read_selected_choices(result: Sequence[Any], controls: Controls, labels: Set[str]) -> SelectedChoices:
    """Read all choices of an answer. A choice that says nothing about the masks counts as none.

    A word that the label config does not have may be an older one, from before choices and labels were
    renamed. It is understood where the answer itself says what it means: a label of its masks is called the
    same, or the word is one that every config would have for "no such thing" or "drew it myself".

    Args:
        labels: those of the masks on the image, as answers write them.

    Raises:
        ChoiceError: a choice is not one of the label config's, "no such thing" and a mask were chosen, or
            what was chosen in the tag that takes masks takes none.
    """
    ranks: dict[str, str] = {}
    said: dict[ChoiceMeaning, str] = {}
    takes_nothing = ""
    for name, word in _read_choices(result):
        option = _find_option(name, word, controls, labels)
        if option.meaning is ChoiceMeaning.RANK:
            ranks[option.label] = word
        else:
            said[option.meaning] = word
        if option.meaning is ChoiceMeaning.NEUTRAL and controls.pick and name == controls.pick.from_name:
            takes_nothing = word
    own, no_referent = said.get(ChoiceMeaning.OWN, ""), said.get(ChoiceMeaning.NO_REFERENT, "")
    if no_referent and (ranks or own):
        others = ", ".join(repr(word) for word in (*ranks.values(), own) if word)
        raise ChoiceError(f"{no_referent!r} was chosen and {others} too: choose one of them")
    if takes_nothing and not (ranks or own or no_referent):
        raise ChoiceError(
            f"{takes_nothing!r:.60} was chosen, which says neither what mask is meant nor that there is none:"
            " choose a mask, or that there is no such thing"
        )
    return SelectedChoices(ranks, own, no_referent)


def is_expression_carried(result: Sequence[Any], controls: Controls) -> bool:
    """Whether an answer says that its expression is meant for the next image too."""
    tags = {tag.from_name: tag for tag in controls.choice_tags}
    made = [(tags[name], word) for name, word in _read_choices(result) if name in tags]
    found = (tag.find(word) for tag, word in made)
    return any(option is not None and option.meaning is ChoiceMeaning.KEEP for option in found)


def read_region_labels(region: Mapping[str, Any], controls: Controls) -> frozenset[str]:
    """The labels of a mask region, as answers write them; those that the config does not have as they are."""
    value, kind = region.get("value"), str(region.get("type"))
    found = (value.get(kind) or value.get("labels")) if isinstance(value, Mapping) else None
    given = [str(label) for label in found] if isinstance(found, list) else []
    return frozenset(_to_answer_text(controls.labels, label) for label in given)


def _to_answer_text(labels: Sequence[Term], said: str) -> str:
    word = find_term(labels, said)
    return word.written if word else said


def _read_choices(result: Sequence[Any]) -> Iterator[tuple[str, str]]:
    """Each choice that was made, with the name of its tag."""
    for region in result:
        if not isinstance(region, Mapping) or region.get("type") != "choices":
            continue
        value = region.get("value")
        made = value.get("choices") if isinstance(value, Mapping) else None
        # Nested choices are written as paths, from the outermost choice inwards: all of them were made.
        paths = (
            [c if isinstance(c, list) and c else [c] for c in made] if isinstance(made, list) else [[None]]
        )
        words = [word for path in paths for word in path]
        if not all(isinstance(word, str) for word in words):
            raise ChoiceError(
                f"the choice of {region.get('from_name')!r:.40} must be a list of texts, got {made!r:.60}"
            )
        yield from ((str(region.get("from_name")), str(word)) for word in words)


def _find_option(name: str, word: str, controls: Controls, labels: Set[str]) -> ChoiceOption:
    tag = next((tag for tag in controls.choice_tags if tag.from_name == name), None)
    option = tag.find(word) if tag else None
    if option and option.meaning is not ChoiceMeaning.NEUTRAL:
        return option
    if tag and tag.is_pick:
        return _find_old_option(word, controls, labels) or option or _reject_choice(tag, word)
    _check_unknown_choice(name, word, controls, labels)
    if tag and not option and tag.first(ChoiceMeaning.NO_REFERENT):
        return _find_old_option(word, controls, frozenset()) or _reject_choice(tag, word)
    return option or ChoiceOption(Term(word), ChoiceMeaning.NEUTRAL)


def _check_unknown_choice(name: str, word: str, controls: Controls, labels: Set[str]) -> None:
    """A choice of a tag that is gone, or that takes no masks today, may have taken one when it was made."""
    takes_one = len(labels) > 1 and _to_answer_text(controls.labels, word) in labels
    if takes_one or name not in controls.names:
        raise ChoiceError(
            f"{word!r:.60} was chosen in {name!r:.40}, and the label config has no choice there that takes a "
            f"mask or says that there is none: {RENAMED_HINT}"
        )


def _find_old_option(word: str, controls: Controls, labels: Set[str]) -> ChoiceOption | None:
    label = _to_answer_text(controls.labels, word)
    if label in labels:
        return ChoiceOption(Term(word), ChoiceMeaning.RANK, label)
    if is_no_referent_term(word):
        return ChoiceOption(Term(word), ChoiceMeaning.NO_REFERENT)
    if labels and is_own_term(word):
        return ChoiceOption(Term(word), ChoiceMeaning.OWN)
    return None


def _reject_choice(tag: ChoiceTag, word: str) -> ChoiceOption:
    known = ", ".join(repr(option.word.written) for option in tag.options)
    raise ChoiceError(
        f"{word!r:.60} was chosen in {tag.from_name!r}, and the label config has no such choice, only "
        f"{known}: {RENAMED_HINT}"
    )
