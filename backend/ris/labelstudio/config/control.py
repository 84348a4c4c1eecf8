"""Read a label config: where a task's image and expression are, and how masks and choices are written."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any
from xml.etree.ElementTree import Element

from ris.errors import LabelConfigError
from ris.labelstudio.config.expression_field import ExpressionField
from ris.labelstudio.config.image_field import ImageField, find_image_tag
from ris.labelstudio.config.mask_control import (
    MASK_TAGS,
    RegionType,
    find_mask_control,
    get_mask_label,
    is_prompt_tool,
)
from ris.labelstudio.config.parsing import EXAMPLE_CONFIG_HINT, parse_config
from ris.labelstudio.config.tags import normalise_tags
from ris.labelstudio.config.text_tags import (
    EXPRESSION_NAME,
    TEXT_TAG_EXAMPLE,
    find_expression_area,
    find_expression_field,
)
from ris.labelstudio.config.variable import find_paths, put_value
from ris.labelstudio.config.vocabulary import ChoiceMeaning, ChoiceTag, Term, read_choice_tags, read_labels


@dataclass(frozen=True, slots=True)
class Choice:
    """A choice of a Choices tag, as answers write it.

    Attributes:
        from_name: the Choices tag.
        to_name: the object that the tag is about.
        value: the choice.
    """

    from_name: str
    to_name: str
    value: str


@dataclass(frozen=True, slots=True)
class Pick:
    """The presentation "pick": all alternatives are on the image, and a choice selects one.

    Attributes:
        from_name: the Choices tag.
        rank_labels: the labels of the mask control that the tag names, in the control's order, best first; as
            answers write them, like the next two.
        own_choice: its choice "none of these, I drew it"; None if there is none.
        choices: the choice of each rank.
    """

    from_name: str
    rank_labels: tuple[str, ...]
    own_choice: str | None
    choices: tuple[str, ...]

    def get_choice(self, label: str) -> str:
        """Return the choice that selects the mask under a label of `rank_labels`."""
        return self.choices[self.rank_labels.index(label)]


@dataclass(frozen=True, slots=True)
class Controls:
    """The tags of a label config that we read and write.

    Attributes:
        image_field: where a task's data holds the image.
        expression_field: where a task's data holds the expression.
        from_name: the mask control.
        to_name: the image that masks are drawn on.
        region_type: of the mask control's regions.
        label: the label of our masks, as answers write it.
        labels: all labels of the mask control.
        choice_tags: the Choices tags that say something about the masks.
        names: of all tags.
        objects: names of everything that is shown, on which a region can be drawn.
        no_referent: the choice "object not in image"; None if there is none. An answer without a mask means
            the same.
        pick: None for the presentation "tabs", one prediction per rank.
        is_interactive: some tag is `smart`, so that the editor asks for masks.
        expression_area: the TextArea in which annotators type the expression; "" if the task alone has it.
        keep_choice: the choice that keeps the typed expression for the next image; None if there is none.
        prompt_tools: tags that only prompt (`smartOnly`); what is drawn with them is no mask.
    """

    image_field: ImageField
    expression_field: ExpressionField
    from_name: str
    to_name: str
    region_type: RegionType
    label: str
    labels: tuple[Term, ...] = ()
    choice_tags: tuple[ChoiceTag, ...] = ()
    names: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()
    no_referent: Choice | None = None
    pick: Pick | None = None
    is_interactive: bool = False
    expression_area: str = ""
    keep_choice: Choice | None = None
    prompt_tools: tuple[str, ...] = ()

    @property
    def is_lossless(self) -> bool:
        """Whether its masks keep every pixel, unlike outlines and boxes."""
        return self.region_type in ("brushlabels", "bitmasklabels")

    @property
    def image_key(self) -> str:
        """The path of the image in a task's data; "" if all tasks show the same image."""
        return self.image_field.path

    @property
    def expression_key(self) -> str:
        """The path of the expression in a task's data."""
        return self.expression_field.path

    def to_data(
        self, image: str, expression: str | None, more: Mapping[str, Any] = MappingProxyType({})
    ) -> dict[str, Any]:
        """Make a task's data that shows an image, and an expression unless it is None.

        Args:
            image: its reference.
            expression: its text; None writes none.
            more: further keys of the data.

        Raises:
            LabelConfigError: the image's tag cannot show this reference.
        """
        data: dict[str, Any] = deepcopy(dict(more))
        text = None if expression is None else self.expression_field.write(expression)
        # The shorter path first: the longer one can then still be written as a key beside it.
        if text is not None and len(self.expression_key) < len(self.image_key):
            put_value(data, self.expression_key, text)
        self.image_field.write(data, image)
        if text is not None and len(self.expression_key) >= len(self.image_key):
            put_value(data, self.expression_key, text)
        return data


@lru_cache(maxsize=64)
def read_controls(label_config: str) -> Controls:
    """Find our tags in a label config, whatever their names.

    Raises:
        LabelConfigError: it is no XML; it has no image, expression or mask control, or two of them; or its
            mask control has no label of its own. The message says what to change.
    """
    root = normalise_tags(parse_config(label_config))
    drawn_on = {tag.get("toName") for name in MASK_TAGS for tag in root.iter(name) if not is_prompt_tool(tag)}
    image = find_image_tag(root, drawn_on)
    image_field = ImageField((image.get("value") or "").strip())
    kind, control = find_mask_control(root, image)
    labels = read_labels(control)
    choice_tags = read_choice_tags(root, labels)
    named = [tag for tag in root.iter() if tag.get("name")]
    return Controls(
        image_field=image_field,
        expression_field=_find_expression_field(root, find_paths(image_field.template)),
        from_name=control.get("name", ""),
        to_name=image.get("name", ""),
        region_type=kind,
        label=get_mask_label(control),
        labels=labels,
        choice_tags=choice_tags,
        names=tuple(tag.get("name", "") for tag in named),
        objects=tuple(tag.get("name", "") for tag in named if not tag.get("toName")),
        no_referent=_find_choice(choice_tags, ChoiceMeaning.NO_REFERENT),
        pick=_make_pick(choice_tags, labels),
        is_interactive=any(tag.get("smart") == "true" for tag in root.iter()),
        expression_area=find_expression_area(root),
        keep_choice=_find_choice(choice_tags, ChoiceMeaning.KEEP),
        prompt_tools=tuple(tag.get("name", "") for tag in root.iter() if is_prompt_tool(tag)),
    )


def _find_expression_field(root: Element, image_paths: Sequence[str]) -> ExpressionField:
    field = find_expression_field(root, image_paths)
    if field is None and not find_expression_area(root):
        raise LabelConfigError(
            f"the label config shows no expression: add {TEXT_TAG_EXAMPLE}; {EXAMPLE_CONFIG_HINT}"
        )
    return field or ExpressionField(EXPRESSION_NAME if EXPRESSION_NAME not in image_paths else "words")


def _find_choice(tags: Sequence[ChoiceTag], meaning: ChoiceMeaning) -> Choice | None:
    """Find the first choice of a meaning, preferably in the tag that selects masks."""
    for tag in sorted(tags, key=lambda tag: not tag.is_pick):
        if option := tag.find_first_option(meaning):
            return Choice(tag.from_name, tag.to_name, option.term.answer_text)
    return None


def _make_pick(tags: Sequence[ChoiceTag], labels: Sequence[Term]) -> Pick | None:
    tag = next((tag for tag in tags if tag.is_pick), None)
    if tag is None:
        return None
    choice_by_label = {
        option.label: option.term.answer_text for option in reversed(tag.options) if option.label
    }
    ranks = tuple(label.answer_text for label in labels if label.answer_text in choice_by_label)
    own = tag.find_first_option(ChoiceMeaning.OWN)
    return Pick(
        tag.from_name,
        ranks,
        own.term.answer_text if own else None,
        tuple(choice_by_label[rank] for rank in ranks),
    )
