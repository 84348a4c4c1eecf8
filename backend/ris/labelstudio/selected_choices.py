"""Read the choices of an answer with the terms of the label config."""

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
    is_drawn_term,
    is_no_referent_term,
    is_own_term,
)

RENAMED_HINT = "was it renamed? Give it back its name, and sync the project again"


@dataclass(frozen=True, slots=True)
class SelectedChoices:
    """The choices of an answer that say something about its masks.

    Attributes:
        choice_by_label: the labels whose masks are meant, each with the choice that names it.
        own: the choice "I drew it"; "" if it was not made.
        no_referent: the choice "object not in image"; "" if it was not made.
    """

    choice_by_label: Mapping[str, str] = field(default_factory=dict)
    own: str = ""
    no_referent: str = ""


def read_selected_choices(result: Sequence[Any], controls: Controls, labels: Set[str]) -> SelectedChoices:
    """Read all choices of an answer. A choice that says nothing about the masks counts as none.

    A choice that the label config does not have may have been renamed since. It is understood if the answer
    shows what it means: a label of its masks has the same name, or it is a usual name of "object not in
    image" or "drawn by me".

    Args:
        result: of the annotation.
        controls: the label config's tags.
        labels: of the masks on the image, as answers write them.

    Raises:
        ChoiceError: a choice is not one of the label config's, "object not in image" and a mask were chosen,
            or the choice in the tag that selects masks selects none.
    """
    choice_by_label: dict[str, str] = {}
    choice_by_meaning: dict[ChoiceMeaning, str] = {}
    neutral_pick = ""
    for name, word in _read_choices(result):
        option = _find_option(name, word, controls, labels)
        if option.meaning is ChoiceMeaning.RANK:
            choice_by_label[option.label] = word
        else:
            choice_by_meaning[option.meaning] = word
        if option.meaning is ChoiceMeaning.NEUTRAL and controls.pick and name == controls.pick.from_name:
            neutral_pick = word
    own = choice_by_meaning.get(ChoiceMeaning.OWN, "")
    no_referent = choice_by_meaning.get(ChoiceMeaning.NO_REFERENT, "")
    if no_referent and (choice_by_label or own):
        others = ", ".join(repr(word) for word in (*choice_by_label.values(), own) if word)
        raise ChoiceError(f"{no_referent!r} was chosen and {others} too: choose one of them")
    if neutral_pick and not (choice_by_label or own or no_referent):
        raise ChoiceError(
            f"{neutral_pick!r:.60} was chosen, which neither selects a mask nor says that there is none: "
            "choose a mask, or that the object is not in the image"
        )
    return SelectedChoices(choice_by_label, own, no_referent)


def is_expression_carried(result: Sequence[Any], controls: Controls) -> bool:
    """Tell whether an answer keeps its expression for the next image."""
    tags = {tag.from_name: tag for tag in controls.choice_tags}
    chosen = [(tags[name], word) for name, word in _read_choices(result) if name in tags]
    options = (tag.find_option(word) for tag, word in chosen)
    return any(option is not None and option.meaning is ChoiceMeaning.KEEP for option in options)


def read_region_labels(region: Mapping[str, Any], controls: Controls) -> frozenset[str]:
    """Read the labels of a mask region, as answers write them; unknown labels stay as they are."""
    value, kind = region.get("value"), str(region.get("type"))
    found = (value.get(kind) or value.get("labels")) if isinstance(value, Mapping) else None
    labels = [str(label) for label in found] if isinstance(found, list) else []
    return frozenset(_to_answer_text(controls.labels, label) for label in labels)


def _to_answer_text(labels: Sequence[Term], text: str) -> str:
    term = find_term(labels, text)
    return term.answer_text if term else text


def _read_choices(result: Sequence[Any]) -> Iterator[tuple[str, str]]:
    """Yield each choice that was made, with the name of its tag."""
    for region in result:
        if not isinstance(region, Mapping) or region.get("type") != "choices":
            continue
        value = region.get("value")
        choices = value.get("choices") if isinstance(value, Mapping) else None
        # Nested choices are written as paths, the outermost choice first: every step of a path counts.
        nested = choices if isinstance(choices, list) else [None]
        paths = [c if isinstance(c, list) and c else [c] for c in nested]
        words = [word for path in paths for word in path]
        if not all(isinstance(word, str) for word in words):
            raise ChoiceError(
                f"the choice of {region.get('from_name')!r:.40} must be a list of texts, got {choices!r:.60}"
            )
        yield from ((str(region.get("from_name")), str(word)) for word in words)


def _find_option(name: str, word: str, controls: Controls, labels: Set[str]) -> ChoiceOption:
    tag = next((tag for tag in controls.choice_tags if tag.from_name == name), None)
    option = tag.find_option(word) if tag else None
    if option and option.meaning is not ChoiceMeaning.NEUTRAL:
        return option
    if tag and tag.is_pick:
        return _find_old_option(word, controls, labels) or option or _reject_choice(tag, word)
    _check_unknown_choice(name, word, controls, labels)
    if tag and not option and tag.find_first_option(ChoiceMeaning.NO_REFERENT):
        return _find_old_option(word, controls, frozenset()) or _reject_choice(tag, word)
    return option or ChoiceOption(Term(word), ChoiceMeaning.NEUTRAL)


def _check_unknown_choice(name: str, word: str, controls: Controls, labels: Set[str]) -> None:
    """Refuse a choice that may have selected a mask when it was made, but cannot today."""
    names_mask = len(labels) > 1 and _to_answer_text(controls.labels, word) in labels
    if names_mask or name not in controls.names:
        raise ChoiceError(
            f"{word!r:.60} was chosen in {name!r:.40}, and the label config has no choice there that takes a "
            f"mask or says that there is none: {RENAMED_HINT}"
        )


def _find_old_option(word: str, controls: Controls, labels: Set[str]) -> ChoiceOption | None:
    label = _to_answer_text(controls.labels, word)
    if label in labels and not is_drawn_term(word):
        return ChoiceOption(Term(word), ChoiceMeaning.RANK, label)
    if is_no_referent_term(word):
        return ChoiceOption(Term(word), ChoiceMeaning.NO_REFERENT)
    if labels and is_own_term(word):
        return ChoiceOption(Term(word), ChoiceMeaning.OWN)
    return None


def _reject_choice(tag: ChoiceTag, word: str) -> ChoiceOption:
    known = ", ".join(repr(option.term.answer_text) for option in tag.options)
    raise ChoiceError(
        f"{word!r:.60} was chosen in {tag.from_name!r}, and the label config has no such choice, only "
        f"{known}: {RENAMED_HINT}"
    )
