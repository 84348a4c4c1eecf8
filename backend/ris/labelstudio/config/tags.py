"""Normalise the tags of a label config as Label Studio's editor does (web/libs/editor/src/core/Tree.tsx).

Names of tags and attributes are case-insensitive. The text inside of a tag is its `value`, and wins over the
attribute: `<Header>Segment: $phrase</Header>`. A Repeater makes further tags for every task; they are not
read here, so it is refused.
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
    """Give tags and attributes the names and values of the editor, in place; return the root.

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
        if content := _read_content(tag):
            tag.set("value", content)
    return root


def _read_content(tag: Element) -> str:
    """Return the content of a tag as markup; "" for a tag with other tags in it."""
    if not len(tag):
        return html.escape((tag.text or "").strip(), quote=False)
    if tag.tag != "HyperText":
        return ""
    children = "".join(tostring(child, encoding="unicode") for child in tag)
    return (html.escape(tag.text or "", quote=False) + children).strip()
