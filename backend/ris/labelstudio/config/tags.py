"""A label config's tags as Label Studio's editor takes them (web/libs/editor/src/core/Tree.tsx).

Names of tags and attributes count in any case. The text inside of a tag is its `value`, and goes before one
that is written as an attribute: `<Header>Segment: $phrase</Header>`. A Repeater makes tags of its own for
every task; nothing here reads or answers those, so it is refused.
"""

import html
from xml.etree.ElementTree import Element, tostring

from ris.errors import LabelConfigError

_TAG_NAMES = (
    "Image", "Text", "Header", "HyperText", "Markdown", "Paragraphs", "TextArea", "BrushLabels",
    "BitmaskLabels", "PolygonLabels", "RectangleLabels", "Label", "Choices", "Choice", "Repeater",
)  # fmt: skip
_ATTRIBUTE_NAMES = (
    "name", "toName", "value", "valueList", "valueType", "alias", "choice", "smart", "smartOnly", "perRegion",
    "resolver", "encoding", "nameKey", "textKey", "required", "rotateControl",
)  # fmt: skip
_TAGS_BY_LOWER = {name.lower(): name for name in _TAG_NAMES}
_ATTRIBUTES_BY_LOWER = {name.lower(): name for name in _ATTRIBUTE_NAMES}


def normalise_tags(root: Element) -> Element:
    """The same tree with the names and values that the editor works with; it is changed in place.

    Raises:
        LabelConfigError: there is a Repeater.
    """
    for tag in root.iter():
        tag.tag = _TAGS_BY_LOWER.get(tag.tag.lower(), tag.tag)
        if tag.tag == "Repeater":
            raise LabelConfigError(
                "the label config has a <Repeater>, which makes other tags for every task and is not "
                'supported: show one image a task, as <Image name="image" value="$image"/>'
            )
        for name in list(tag.attrib):
            if (known := _ATTRIBUTES_BY_LOWER.get(name.lower(), name)) != name:
                tag.set(known, tag.attrib.pop(name))
        if written := _read_content(tag):
            tag.set("value", written)
    return root


def _read_content(tag: Element) -> str:
    """What stands between a tag's ends, as markup; "" for a tag with other tags in it."""
    if not len(tag):
        return html.escape((tag.text or "").strip(), quote=False)
    if tag.tag != "HyperText":
        return ""
    children = "".join(tostring(child, encoding="unicode") for child in tag)
    return (html.escape(tag.text or "", quote=False) + children).strip()
