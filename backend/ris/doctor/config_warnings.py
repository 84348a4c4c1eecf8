"""Warn of parts of a label config with which annotators could give answers that cannot be read."""

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from ris.labelstudio.config.control import Controls
from ris.labelstudio.config.parsing import parse_config
from ris.labelstudio.config.tags import normalise_tags
from ris.labelstudio.config.variable import has_readable_variables
from ris.labelstudio.config.vocabulary import REFERENT_TAG_PATTERN, ChoiceMeaning
from ris.labelstudio.result import MASK_READERS, POINT_TYPES

# Control tags that draw no region on the image.
_NON_DRAWING_TAGS = frozenset(
    {"choices", "textarea", "rating", "number", "datetime", "taxonomy", "pairwise", "ranker", "relations"}
)


def find_warnings(label_config: str, controls: Controls) -> list[str]:
    """Return one sentence per fault of a label config: what fails, and what to change.

    Args:
        label_config: its XML.
        controls: as `read_controls` reads them from it.
    """
    root = normalise_tags(parse_config(label_config))
    return [
        *_warn_of_brackets(label_config), *_warn_of_unreadable_tools(root, controls),
        *_warn_of_rotation(root, controls),
        *_warn_of_choices(root, controls),
    ]  # fmt: skip


def _warn_of_brackets(label_config: str) -> Iterator[str]:
    if not has_readable_variables(label_config):
        yield (
            'annotators see "undefined" where a bracket or a brace follows a variable at once, as in '
            '"[$phrase]": write "[ $phrase ]"'
        )


def _warn_of_unreadable_tools(root: Element, controls: Controls) -> Iterator[str]:
    for tag in root.iter():
        kind, name = tag.tag.lower(), tag.get("name", "")
        if (
            tag.get("toName") != controls.to_name
            or name in controls.prompt_tools
            or kind in _NON_DRAWING_TAGS
        ):
            continue
        if kind in POINT_TYPES:
            yield f'<{tag.tag} name="{name}">: an answer with points alone fails; give it smartOnly="true"'
        elif kind not in MASK_READERS and kind not in ("labels", "magicwand"):
            yield f'<{tag.tag} name="{name}">: what it draws gives no mask, and the answer fails; remove it'


def _warn_of_rotation(root: Element, controls: Controls) -> Iterator[str]:
    for tag in root.iter("Image"):
        if tag.get("name") == controls.to_name and tag.get("rotateControl") == "true":
            yield 'rotateControl="true": a mask that is drawn on a turned picture fails; remove it'


def _warn_of_choices(root: Element, controls: Controls) -> Iterator[str]:
    ours = {tag.from_name: tag for tag in controls.choice_tags}
    for tag in root.iter("Choices"):
        name = tag.get("name", "")
        values = {choice.get("value") for choice in tag.iter("Choice")}
        if tag.get("perRegion") == "true" and len(values & {label.value for label in controls.labels}) > 1:
            yield f'<Choices name="{name}"> is perRegion and takes no mask; remove perRegion'
        if name in ours and (tag.get("value") or "").startswith("$"):
            yield f'<Choices name="{name}"> has choices from the task: such an answer fails; remove value'
        elif REFERENT_TAG_PATTERN.fullmatch(name) and name not in ours and tag.get("perRegion") != "true":
            yield (
                f'<Choices name="{name}">: no choice of it is known to say that an object is not there; call '
                'one "object not in image", or give it that alias'
            )
    pick = controls.pick
    if pick is None:
        return
    control = next(tag for tag in root.iter("Choices") if tag.get("name") == pick.from_name)
    if control.get("required") != "true":
        yield f'<Choices name="{pick.from_name}">: an answer without a choice fails; give it required="true"'
    no_referent = ours[pick.from_name].find_first_option(ChoiceMeaning.NO_REFERENT) or controls.no_referent
    if no_referent is None:
        yield (
            f'<Choices name="{pick.from_name}"> has no choice for an object that is not there; add '
            '<Choice value="object not in image"/>'
        )
