"""Find the text of a label config that is the expression, by one rule for all label configs.

A text is a variable in the `value` of a text tag (`_TEXT_TAGS`), also inside of a sentence.

1. The expression is the text whose key is `expression`; else the one whose tag has the name "expression".
2. Else texts named like an id, a file, an address, a number or a split (`_OTHER_NAMES`) are excluded. Of the
   others it is the one whose key or tag is named like an expression (`_EXPRESSION_NAMES`: phrase, prompt,
   caption, query, description, sentence ...); else the only one.
3. If two are left, the label config is refused, and the message names both.

The image's variable is no text.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from ris.errors import LabelConfigError
from ris.labelstudio.config.expression_field import TEXT_ENCODINGS, ExpressionField, TextForm
from ris.labelstudio.config.variable import find_paths, get_path_name, is_path

_TEXT_TAGS = ("Text", "Header", "HyperText", "Markdown", "Paragraphs", "TextArea")
_FORM_BY_TAG: dict[str, TextForm] = {"HyperText": "html", "Markdown": "markdown", "Paragraphs": "paragraphs"}
EXPRESSION_NAME = "expression"
_EXPRESSION_NAMES = re.compile(
    r"(.* )?((\w*(expression|phrase|prompt|caption|utterance|description|sentence))s?"
    r"|query|queries|words|wordings?|sents?|expr|refexp|referring)( (text|string|raw|[a-z]{2}))?"
)
_OTHER_NAMES = re.compile(
    r"(.* )?(id|ids|uid|uuid|guid|no|nr|num|number|index|idx|hash|md5|sha1|sha256|key|code|sku|barcode"
    r"|url|urls|uri|link|href|path|file|filename|filepath|folder|directory|source|src|split|subset|dataset"
    r"|date|time|datetime|timestamp|width|height|size|score|version|batch|user|username|email|image|img)"
    r"|id .*|(file|image|img|picture|photo|folder|user) name"
)
_EXPRESSION_AREA_NAMES = re.compile(r"(the[_-]?|my[_-]?)?(expression|prompt|phrase|words)", re.IGNORECASE)
_NAME_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
TEXT_TAG_EXAMPLE = '<Text name="expression" value="$expression"/>'


@dataclass(frozen=True, slots=True)
class ShownText:
    """A text that a label config shows.

    Attributes:
        path: of its variable, in a task's data.
        tag: that shows it.
    """

    path: str
    tag: Element

    def __str__(self) -> str:
        name = self.tag.get("name")
        named = f' name="{name}"' if name else ""
        return f"${self.path} (<{self.tag.tag}{named}>)"


def find_expression_field(root: Element, image_paths: Collection[str]) -> ExpressionField | None:
    """Find where a task's data holds the expression; None if no text is shown that could be it.

    Args:
        root: of a label config.
        image_paths: of the image's variables.

    Raises:
        LabelConfigError: two texts could be it, or it cannot be read from the task's data.
    """
    chosen = _choose_texts([one for one in _list_texts(root) if one.path not in image_paths])
    texts = {one.path: one for one in chosen}
    if len(texts) > 1:
        raise LabelConfigError(
            f"the label config shows {len(texts)} texts that could be the expression, "
            f'{" and ".join(map(str, texts.values()))}: give the right one the name "expression", as '
            f'<Text name="expression" value="${chosen[0].path}"/>'
        )
    # Of several tags that show the same text, the one that shows it without its markup gives the form.
    return _to_expression_field(max(chosen, key=lambda one: one.tag.tag in _FORM_BY_TAG)) if chosen else None


def _list_texts(root: Element) -> Iterator[ShownText]:
    for tag in root.iter():
        if tag.tag in _TEXT_TAGS and tag.get("perRegion") != "true":
            yield from (ShownText(path, tag) for path in find_paths(tag.get("value") or ""))


def _choose_texts(texts: Sequence[ShownText]) -> Sequence[ShownText]:
    by_key = [one for one in texts if get_path_name(one.path).lower() == EXPRESSION_NAME]
    by_tag = [one for one in texts if _get_tag_name(one).lower() == EXPRESSION_NAME]
    if by_key or by_tag:
        return by_key or by_tag
    others = [one for one in texts if not _OTHER_NAMES.fullmatch(_split_name(get_path_name(one.path)))]
    named = [
        one
        for one in others
        if any(
            _EXPRESSION_NAMES.fullmatch(_split_name(n)) for n in (get_path_name(one.path), _get_tag_name(one))
        )
    ]
    return named or others


def _get_tag_name(one: ShownText) -> str:
    return one.tag.get("name") or ""


def _split_name(name: str) -> str:
    """Split a name into lower-case words: "image id" of imageID, image_id and image-id2."""
    return " ".join(part.lower() for part in _NAME_PARTS.findall(name))


def _to_expression_field(one: ShownText) -> ExpressionField:
    tag = one.tag
    if not is_path(one.path):
        raise LabelConfigError(
            f'the label config shows value="{(tag.get("value") or "")[:80]}", and no data can have '
            f'"{one.path[:80]}": name a key of the task, as {TEXT_TAG_EXAMPLE}'
        )
    if tag.get("valueType") == "url" or tag.get("resolver"):
        raise LabelConfigError(
            f"the text {one} is behind an address, which is not read: put the text into the task's data and "
            f"remove valueType and resolver, as {TEXT_TAG_EXAMPLE}"
        )
    encoding = tag.get("encoding") or ""
    return ExpressionField(
        path=one.path,
        form=_FORM_BY_TAG.get(tag.tag, "text"),
        name_key=tag.get("nameKey") or "author",
        text_key=tag.get("textKey") or "text",
        encoding=encoding if encoding in TEXT_ENCODINGS else "",
    )


def find_expression_area(root: Element) -> str:
    """Find the name of the TextArea for the expression: the one that shows it, is named so, or is `smart`."""
    areas = [tag for tag in root.iter("TextArea") if tag.get("name") and tag.get("perRegion") != "true"]
    for is_meant in (
        lambda tag: EXPRESSION_NAME in find_paths(tag.get("value") or ""),
        lambda tag: _EXPRESSION_AREA_NAMES.fullmatch(tag.get("name", "")),
        lambda tag: tag.get("smart") == "true",
    ):
        for tag in filter(is_meant, areas):
            return str(tag.get("name"))
    return ""
