"""Read a task's image reference as the image's tag shows it, and write it as data."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element

from ris.errors import LabelConfigError
from ris.labelstudio.config.variable import (
    extract_variable,
    fill_template,
    find_paths,
    find_value,
    is_path,
    put_value,
)

_IMAGE_TAG_EXAMPLE = '<Image name="image" value="$image"/>'


@dataclass(frozen=True, slots=True)
class ImageField:
    """The `value` of an image's tag: a variable of the task's data, or an address, which may hold variables.

    Attributes:
        template: e.g. "$image", "$pages[0]", "https://example.com/$file".
    """

    template: str

    @property
    def path(self) -> str:
        """The path of the first variable; "" if all tasks show the same image."""
        return next(iter(find_paths(self.template)), "")

    def read(self, data: Mapping[str, Any]) -> str | None:
        """Read a task's image reference; None if there is none. A list of one counts as its item."""
        found = {path: find_value(data, path) for path in find_paths(self.template)}
        single = {path: one[0] for path, one in found.items() if isinstance(one, list) and len(one) == 1}
        if self.template == f"${self.path}":
            image = single.get(self.path, found[self.path])
            return image if isinstance(image, str) and image.strip() else None
        return fill_template(self.template, {**data, **single})

    def find_missing(self, data: Mapping[str, Any]) -> str:
        """Find the path for which the data has nothing; the first path if it has something for each."""
        return next(
            (path for path in find_paths(self.template) if fill_template(f"${path}", data) is None), self.path
        )

    def write(self, data: dict[str, Any], image: str) -> None:
        """Write into a task's data what makes the tag show an image.

        Raises:
            LabelConfigError: the tag cannot show this reference.
        """
        if self.path:
            put_value(data, self.path, extract_variable(self.template, image))
        if self.read(data) != image:
            raise LabelConfigError(
                f'the label config shows value="{self.template[:80]}" as image, which cannot become '
                f"{image[:80]!r}: make it {_IMAGE_TAG_EXAMPLE}"
            )


def find_image_tag(root: Element, drawn_on: Collection[str | None]) -> Element:
    """Find the image's tag: the one that masks are drawn on, if there are several.

    Args:
        root: of a label config.
        drawn_on: the names that mask controls draw on.

    Raises:
        LabelConfigError: there is no image, there are two, or it shows several images of one task.
    """
    images = [
        tag for tag in root.iter("Image") if tag.get("name") and (tag.get("value") or _get_value_list(tag))
    ]
    if not images:
        raise LabelConfigError(
            f"the label config has no {_IMAGE_TAG_EXAMPLE}; see label_config/tabs_brush.xml"
        )
    found = [tag for tag in images if tag.get("name") in drawn_on] or images
    if len(found) > 1:
        raise LabelConfigError(
            f"the label config has {len(found)} images ({_join_names(found)}), one was expected for the masks"
        )
    _check_image_tag(found[0])
    return found[0]


def _check_image_tag(image: Element) -> None:
    name, value = image.get("name"), image.get("value") or ""
    show = f'<Image name="{name}" value="$image"/>'
    if _get_value_list(image):
        raise LabelConfigError(
            f"the image {name!r} has valueList, several pictures for one task, which is not supported: "
            f"show one picture per task, as {show}"
        )
    nothing = [path for path in find_paths(value) if not is_path(path)]
    if nothing or (value.startswith("$") and not find_paths(value)):
        raise LabelConfigError(
            f'the image {name!r} has value="{value[:80]}", and no data can have '
            f'"{(nothing or [value])[0][:80]}": name a key of the task, as {show}'
        )


def _get_value_list(image: Element) -> str:
    return image.get("valueList") or ""


def _join_names(tags: Sequence[Element]) -> str:
    return ", ".join(repr(tag.get("name")) for tag in tags)
