"""What a label config says: where the image is, where the expression, and what a mask is called."""

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
    """Something that an annotator can say by one choice of a Choices tag; `value` as answers write it."""

    from_name: str
    to_name: str
    value: str


@dataclass(frozen=True, slots=True)
class Pick:
    """The presentation "pick": all alternatives lie on the image, and a choice says which one is meant.

    Attributes:
        from_name: the Choices tag.
        ranks: the labels of the mask control that it names, in that control's order: best first. As answers
            write them, like `choices` and `own`.
        own: its choice for "none of these, I drew it"; None when there is no such choice.
        choices: the choice of each rank.
    """

    from_name: str
    ranks: tuple[str, ...]
    own: str | None
    choices: tuple[str, ...]

    def get_choice(self, label: str) -> str:
        """The choice that takes the mask under a label of `ranks`."""
        return self.choices[self.ranks.index(label)]


@dataclass(frozen=True, slots=True)
class Controls:
    """The tags of a label config that we read and write.

    Attributes:
        picture, words: where the image and the expression stand in a task's data.
        from_name, to_name: the mask control and its image.
        region_type: what its regions are.
        label: which label our masks have, as answers write it.
        labels: all labels of the mask control.
        choice_tags: the Choices tags that say something about the masks; the next two are of them.
        names: of all tags.
        objects: names of everything that is shown: what a region of an answer can lie on.
        no_referent: None when the config has no such choice; an empty answer says the same.
        pick: None for the presentation "tabs", one prediction a rank.
        is_interactive: some tag is `smart`: clicks and the like ask for a mask.
        typed: the TextArea in which annotators say what they mean; "" when the task alone says it.
        keep: the choice that keeps what was typed for the next image.
        tools: tags that only point (`smartOnly`): what they drew is a question and no mask.
    """

    picture: ImageField
    words: ExpressionField
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
    keep: Choice | None = None
    prompt_tools: tuple[str, ...] = ()

    @property
    def is_lossless(self) -> bool:
        """Whether its masks are of pixels, and not outlines or boxes."""
        return self.region_type in ("brushlabels", "bitmasklabels")

    @property
    def image_key(self) -> str:
        """Where the image stands in a task's data; "" when it is the same for every task."""
        return self.picture.path

    @property
    def expression_key(self) -> str:
        """Where the expression stands in a task's data."""
        return self.words.path

    def to_data(
        self, image: str, expression: str | None, more: Mapping[str, Any] = MappingProxyType({})
    ) -> dict[str, Any]:
        """A task's data that shows an image, and an expression where it is not None.

        Args:
            more: what the data holds besides.

        Raises:
            LabelConfigError: the image's tag shows no such reference.
        """
        data: dict[str, Any] = deepcopy(dict(more))
        words = None if expression is None else self.words.write(expression)
        # The shorter path first: the longer one can still be written as a key beside it.
        if words is not None and len(self.expression_key) < len(self.image_key):
            put_value(data, self.expression_key, words)
        self.picture.write(data, image)
        if words is not None and len(self.expression_key) >= len(self.image_key):
            put_value(data, self.expression_key, words)
        return data


@lru_cache(maxsize=64)
def read_controls(label_config: str) -> Controls:
    """Find our tags in a label config, whatever their names.

    Raises:
        LabelConfigError: not XML; no image, no expression, no mask control, or two of them; a mask
            control without a label of its own. The message says what to add.
    """
    root = normalise_tags(parse_config(label_config))
    drawn_on = {tag.get("toName") for name in MASK_TAGS for tag in root.iter(name) if not is_prompt_tool(tag)}
    image = find_image_tag(root, drawn_on)
    picture = ImageField((image.get("value") or "").strip())
    kind, control = find_mask_control(root, image)
    labels = read_labels(control)
    choice_tags = read_choice_tags(root, labels)
    named = [tag for tag in root.iter() if tag.get("name")]
    return Controls(
        picture=picture,
        words=_find_expression_field(root, find_paths(picture.written)),
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
        keep=_find_choice(choice_tags, ChoiceMeaning.KEEP),
        prompt_tools=tuple(tag.get("name", "") for tag in root.iter() if is_prompt_tool(tag)),
    )


def _find_expression_field(root: Element, image_paths: Sequence[str]) -> ExpressionField:
    words = find_expression_field(root, image_paths)
    if words is None and not find_expression_area(root):
        raise LabelConfigError(
            f"the label config shows no expression: add {TEXT_TAG_EXAMPLE}; {EXAMPLE_CONFIG_HINT}"
        )
    return words or ExpressionField(EXPRESSION_NAME if EXPRESSION_NAME not in image_paths else "words")


def _find_choice(tags: Sequence[ChoiceTag], meaning: ChoiceMeaning) -> Choice | None:
    """The first choice of a meaning; one of the tag that takes masks before others."""
    for tag in sorted(tags, key=lambda tag: not tag.is_pick):
        if option := tag.first(meaning):
            return Choice(tag.from_name, tag.to_name, option.word.written)
    return None


def _make_pick(tags: Sequence[ChoiceTag], labels: Sequence[Term]) -> Pick | None:
    tag = next((tag for tag in tags if tag.is_pick), None)
    if tag is None:
        return None
    taken = {option.label: option.word.written for option in reversed(tag.options) if option.label}
    ranks = tuple(label.written for label in labels if label.written in taken)
    own = tag.first(ChoiceMeaning.OWN)
    return Pick(tag.from_name, ranks, own.word.written if own else None, tuple(taken[r] for r in ranks))
