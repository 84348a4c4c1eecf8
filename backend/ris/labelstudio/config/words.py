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

from ris.labelstudio.config.variable import find, to_text

Form = Literal["text", "html", "markdown", "paragraphs"]
ENCODINGS = {"base64": "latin-1", "base64unicode": "utf-8"}
LONGEST_MARKUP = 50_000  # characters: more is no expression, with its markup or without
UNSEEN = frozenset({"script", "style", "template", "title", "iframe", "noscript", "object"})
VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)
INLINE = frozenset(
    {
        "a", "abbr", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i", "ins",
        "kbd", "label", "mark", "nobr", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup",
        "time", "tt", "u", "var", "wbr",
    }
)  # fmt: skip
PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")
HIDING = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Words:
    """Where a task's expression stands, and how the tag that shows it reads it.

    Attributes:
        path: in the task's data, as in `variable`.
        form: "html" (HyperText) and "markdown" (Markdown) are shown without their markup, "paragraphs"
            (Paragraphs) is a list of objects.
        name_key, text_key: of a paragraph: who says it, which is no part of the words, and what.
        encoding: of the text: "", "base64" or "base64unicode".
    """

    path: str
    form: Form = "text"
    name_key: str = "author"
    text_key: str = "text"
    encoding: str = ""

    def read(self, data: Mapping[str, Any]) -> str | None:
        """The words that the tag shows of a task's data; None when it has no text there.

        A number is its digits. Of a list of texts, several wordings of one expression, it is the first that
        says something. Paragraphs are joined by spaces.
        """
        found = find(data, self.path)
        if self.form == "paragraphs" and isinstance(found, list):
            found = self._join(found)
        if isinstance(found, list):
            said = [text for one in found if (text := to_text(one)) is not None]
            found = next((text for text in said if text.strip()), None)
        text = to_text(found)
        if text is not None and self.encoding:
            text = _decode(text, ENCODINGS[self.encoding])
        if text is None or len(text) > LONGEST_MARKUP:
            return text
        if self.form == "markdown":
            return read_html(MarkdownIt().render(text))
        return read_html(text) if self.form == "html" else text

    def write(self, words: str) -> object:
        """What stands in a task's data at the path, so that `read` finds the words."""
        text = html.escape(words, quote=False) if self.form == "html" else words
        if self.form == "markdown":
            text = PUNCTUATION.sub(r"\\\g<0>", words)
        if self.encoding:
            text = base64.b64encode(text.encode(ENCODINGS[self.encoding], "replace")).decode("ascii")
        return [{self.name_key: "", self.text_key: text}] if self.form == "paragraphs" else text

    def _join(self, found: list[Any]) -> object:
        """The text of paragraphs; the list itself when it is none of paragraphs."""
        said = [to_text(one.get(self.text_key)) for one in found if isinstance(one, Mapping)]
        texts = [text for text in said if text is not None]
        return " ".join(texts) if texts else found


def read_html(markup: str) -> str:
    """The text of HTML as a page shows it: without tags, scripts and hidden parts, in one line."""
    page = _Page()
    page.feed(markup)
    page.close()
    return " ".join("".join(page.said).split())


def _decode(text: str, encoding: str) -> str | None:
    try:
        return base64.b64decode(text, validate=True).decode(encoding)
    except (binascii.Error, ValueError):
        return None


class _Page(HTMLParser):
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
        is_hidden = tag in UNSEEN or "hidden" in given or HIDING.search(given.get("style") or "")
        if is_hidden and tag not in VOID:
            self._hidden, self._depth = tag, 1
        if tag not in INLINE:
            self.said.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if self._hidden:
            self._depth -= tag == self._hidden
            if not self._depth:
                self._hidden = ""
        elif tag not in INLINE:
            self.said.append(" ")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if not self._hidden and tag not in INLINE:
            self.said.append(" ")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.said.append(data)
