"""What a text tag shows of a task: the words that people read, and the same words as data."""

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
_MAX_MARKUP_CHARACTERS = 50_000  # characters: more is no expression, with its markup or without
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
    """Where a task's expression stands, and how the tag that shows it reads it.

    Attributes:
        path: in the task's data, as in `variable`.
        form: "html" (HyperText) and "markdown" (Markdown) are shown without their markup, "paragraphs"
            (Paragraphs) is a list of objects.
        name_key, text_key: of a paragraph: who says it, which is no part of the words, and what.
        encoding: of the text: "", "base64" or "base64unicode".
    """

    path: str
    form: TextForm = "text"
    name_key: str = "author"
    text_key: str = "text"
    encoding: str = ""

    def read(self, data: Mapping[str, Any]) -> str | None:
        """The words that the tag shows of a task's data; None when it has no text there.

        A number is its digits. Of a list of texts, several wordings of one expression, it is the first that
        says something. Paragraphs are joined by spaces.
        """
        found = find_value(data, self.path)
        if self.form == "paragraphs" and isinstance(found, list):
            found = self._join_paragraphs(found)
        if isinstance(found, list):
            said = [text for one in found if (text := to_text(one)) is not None]
            found = next((text for text in said if text.strip()), None)
        text = to_text(found)
        if text is not None and self.encoding:
            text = _decode_base64(text, TEXT_ENCODINGS[self.encoding])
        if text is None or len(text) > _MAX_MARKUP_CHARACTERS:
            return text
        if self.form == "markdown":
            return html_to_text(MarkdownIt().render(text))
        return html_to_text(text) if self.form == "html" else text

    def write(self, words: str) -> object:
        """What stands in a task's data at the path, so that `read` finds the words."""
        text = html.escape(words, quote=False) if self.form == "html" else words
        if self.form == "markdown":
            text = _PUNCTUATION.sub(r"\\\g<0>", words)
        if self.encoding:
            text = base64.b64encode(text.encode(TEXT_ENCODINGS[self.encoding], "replace")).decode("ascii")
        return [{self.name_key: "", self.text_key: text}] if self.form == "paragraphs" else text

    def _join_paragraphs(self, found: list[Any]) -> object:
        """The text of paragraphs; the list itself when it is none of paragraphs."""
        said = [to_text(one.get(self.text_key)) for one in found if isinstance(one, Mapping)]
        texts = [text for text in said if text is not None]
        return " ".join(texts) if texts else found


def html_to_text(markup: str) -> str:
    """The text of HTML as a page shows it: without tags, scripts and hidden parts, in one line."""
    page = _TextCollector()
    page.feed(markup)
    page.close()
    return " ".join("".join(page.said).split())


def _decode_base64(text: str, encoding: str) -> str | None:
    try:
        return base64.b64decode(text, validate=True).decode(encoding)
    except (binascii.Error, ValueError):
        return None


class _TextCollector(HTMLParser):
    """Collects what is seen. Inside of something hidden it waits for the end of that element."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self._hidden, self._depth = "", 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._hidden:
            self._depth += tag == self._hidden
            return
        given = dict(attrs)
        is_hidden = tag in _HIDDEN_TAGS or "hidden" in given or _HIDING_STYLE.search(given.get("style") or "")
        if is_hidden and tag not in _VOID_TAGS:
            self._hidden, self._depth = tag, 1
        if tag not in _INLINE_TAGS:
            self.said.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if self._hidden:
            self._depth -= tag == self._hidden
            if not self._depth:
                self._hidden = ""
        elif tag not in _INLINE_TAGS:
            self.said.append(" ")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if not self._hidden and tag not in _INLINE_TAGS:
            self.said.append(" ")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.said.append(data)
