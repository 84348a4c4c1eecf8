"""Read the expression of a task as its text tag shows it, and write it as data."""

import base64
import binascii
import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any, Literal

from markdown_it import MarkdownIt

from ris.labelstudio.config.variable import find_value, to_text

TextForm = Literal["text", "html", "markdown", "paragraphs"]
TEXT_ENCODINGS = {"base64": "latin-1", "base64unicode": "utf-8"}
_MAX_MARKUP_CHARACTERS = 50_000  # a longer text is no expression; its markup is not parsed
_HIDDEN_TAGS = frozenset({"script", "style", "template", "title", "iframe", "noscript", "object"})
_VOID_TAGS = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)
_INLINE_TAGS = frozenset(
    {
        "a", "abbr", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i", "ins",
        "kbd", "label", "mark", "nobr", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup",
        "time", "tt", "u", "var", "wbr",
    }
)  # fmt: skip
_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")
_HIDING_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ExpressionField:
    """The part of a task's data that holds the expression, and how the tag that shows it reads it.

    Attributes:
        path: in the task's data, as in `variable`.
        form: "html" (HyperText) and "markdown" (Markdown) are shown without their markup, "paragraphs"
            (Paragraphs) is a list of objects.
        name_key: of a paragraph: who speaks, which is no part of the expression.
        text_key: of a paragraph: its text.
        encoding: of the text: "", "base64" or "base64unicode".
    """

    path: str
    form: TextForm = "text"
    name_key: str = "author"
    text_key: str = "text"
    encoding: str = ""

    def read(self, data: Mapping[str, Any]) -> str | None:
        """Read the text that the tag shows of a task's data; None if there is no text.

        A number becomes its digits. Of a list of texts, which are wordings of one expression, the first that
        is not blank is read. Paragraphs are joined by spaces.
        """
        found = find_value(data, self.path)
        if self.form == "paragraphs" and isinstance(found, list):
            found = self._join_paragraphs(found)
        if isinstance(found, list):
            texts = [text for one in found if (text := to_text(one)) is not None]
            found = next((text for text in texts if text.strip()), None)
        text = to_text(found)
        if text is not None and self.encoding:
            text = _decode_base64(text, TEXT_ENCODINGS[self.encoding])
        if text is None or len(text) > _MAX_MARKUP_CHARACTERS:
            return text
        if self.form == "markdown":
            return html_to_text(MarkdownIt().render(text))
        return html_to_text(text) if self.form == "html" else text

    def write(self, expression: str) -> object:
        """Return the value at the path of a task's data of which `read` reads this expression."""
        text = html.escape(expression, quote=False) if self.form == "html" else expression
        if self.form == "markdown":
            text = _PUNCTUATION.sub(r"\\\g<0>", expression)
        if self.encoding:
            text = base64.b64encode(text.encode(TEXT_ENCODINGS[self.encoding], "replace")).decode("ascii")
        return [{self.name_key: "", self.text_key: text}] if self.form == "paragraphs" else text

    def _join_paragraphs(self, found: list[Any]) -> object:
        """Join the text of paragraphs; return the list unchanged if it holds no paragraphs."""
        values = [to_text(one.get(self.text_key)) for one in found if isinstance(one, Mapping)]
        texts = [text for text in values if text is not None]
        return " ".join(texts) if texts else found


def html_to_text(markup: str) -> str:
    """Return the text of HTML as a page shows it, in one line: without tags, scripts and hidden parts."""
    page = _TextCollector()
    page.feed(markup)
    page.close()
    return " ".join("".join(page.texts).split())


def _decode_base64(text: str, encoding: str) -> str | None:
    try:
        return base64.b64decode(text, validate=True).decode(encoding)
    except (binascii.Error, ValueError):
        return None


class _TextCollector(HTMLParser):
    """Collects the visible text. Inside of a hidden element it waits for the end of that element."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._hidden, self._depth = "", 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._hidden:
            self._depth += tag == self._hidden
            return
        attributes = dict(attrs)
        is_hidden = (
            tag in _HIDDEN_TAGS
            or "hidden" in attributes
            or _HIDING_STYLE.search(attributes.get("style") or "")
        )
        if is_hidden and tag not in _VOID_TAGS:
            self._hidden, self._depth = tag, 1
        if tag not in _INLINE_TAGS:
            self.texts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if self._hidden:
            self._depth -= tag == self._hidden
            if not self._depth:
                self._hidden = ""
        elif tag not in _INLINE_TAGS:
            self.texts.append(" ")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if not self._hidden and tag not in _INLINE_TAGS:
            self.texts.append(" ")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.texts.append(data)
