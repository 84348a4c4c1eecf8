"""Find the tag of a label config that masks are drawn with."""

from collections.abc import Sequence
from typing import Literal
from xml.etree.ElementTree import Element

from ris.errors import LabelConfigError
from ris.labelstudio.config.parsing import EXAMPLE_CONFIG_HINT
from ris.labelstudio.config.vocabulary import read_labels

RegionType = Literal["brushlabels", "bitmasklabels", "polygonlabels", "rectanglelabels"]
MASK_TAGS: dict[str, RegionType] = {  # preferred first; rectangles show boxes, where there is nothing better
    "BrushLabels": "brushlabels",
    "BitmaskLabels": "bitmasklabels",
    "PolygonLabels": "polygonlabels",
    "RectangleLabels": "rectanglelabels",
}


def find_mask_control(root: Element, image: Element) -> tuple[RegionType, Element]:
    """Find the tag that draws masks on an image, and the type of its regions.

    Raises:
        LabelConfigError: there is none, or there are two of one kind.
    """
    for tag_name, kind in MASK_TAGS.items():
        found = [
            t for t in root.iter(tag_name) if t.get("toName") == image.get("name") and not is_prompt_tool(t)
        ]
        if len(found) > 1:
            raise LabelConfigError(
                f"the label config has {len(found)} <{tag_name}> for image {image.get('name')!r} "
                f"({_join_names(found)}): leave one, so that it is clear where a mask belongs"
            )
        if found:
            return kind, found[0]
    others = [f'{tag.tag} "{tag.get("name")}"' for tag in root.iter() if tag.get("toName")]
    raise LabelConfigError(
        f"the label config has no <BrushLabels> or <PolygonLabels> for image {image.get('name')!r}; "
        f"found {', '.join(others) or 'no control'}; {EXAMPLE_CONFIG_HINT}"
    )


def is_prompt_tool(tag: Element) -> bool:
    """Tell whether a tag only prompts for masks (`smartOnly`)."""
    return tag.get("smartOnly") == "true"


def get_mask_label(control: Element) -> str:
    """Return the label of our masks, as answers write it: the first of the mask control.

    Raises:
        LabelConfigError: the control has no label of its own.
    """
    labels = read_labels(control)
    if not labels or not labels[0].answer_text or labels[0].value.startswith("$"):
        raise LabelConfigError(
            f'<{control.tag} name="{control.get("name")}"> needs a label of its own, '
            f'e.g. <Label value="Referent"/>; {EXAMPLE_CONFIG_HINT}'
        )
    return labels[0].answer_text


def _join_names(tags: Sequence[Element]) -> str:
    return ", ".join(repr(tag.get("name")) for tag in tags)
