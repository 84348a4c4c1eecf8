"""Repair JSON in which single values are refused by a strict parser.

Label Studio stores and sends what browsers, importers and other programs gave it: half an emoji, NaN, numbers
out of range, endless depth. One such value must not cost a request its other tasks.
"""

import re

MAX_JSON_DEPTH = 100  # levels; deeper values become null
MAX_READ_DEPTH = 1000  # levels; Label Studio itself, and SQLite's JSON, take no more
_TOKEN = re.compile(
    r'"(?:[^"\\]|\\.)*+(?:"|\Z)|[][{}]|(?:\d{1,3},\s?){20,}+|-?(?:NaN|Infinity)'
    r"|-?\d[\d.]*+[eE][+-]?\d{3,}|-?\d[\d.]{299,}+(?:[eE][+-]?\d+)?",
    re.DOTALL,
)
_ESCAPE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a pair
    r"|(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
    r'|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})'
    r"|(?P<none>\\.)"
    r"|(?P<control>[\x00-\x1f])",
    re.DOTALL,
)
_NESTING = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\Z)|[][{}]', re.DOTALL)
_OPENING, _CLOSING = ("[", "{"), ("]", "}")
_REPLACEMENT_ESCAPE = r"\ufffd"


def mend_json(body: bytes | bytearray | memoryview) -> bytes:
    """Replace the values of a JSON text that some parsers refuse; malformed JSON stays malformed.

    * A lone surrogate, an unknown escape, and bytes that are not UTF-8 become U+FFFD; a control character
      inside of a string becomes a space.
    * NaN, Infinity and numbers out of range become null.
    * Values deeper than `MAX_JSON_DEPTH` become null.
    """
    text = bytes(body).decode("utf-8", "replace").removeprefix("\ufeff")
    parts: list[str] = []
    at, level = 0, 0
    for match in _TOKEN.finditer(text):
        token = match.group()
        level += token in _OPENING
        new = _mend_token(token) if level <= MAX_JSON_DEPTH else ""
        if level == MAX_JSON_DEPTH + 1 and token in _OPENING:
            new = "null"
        if level > MAX_JSON_DEPTH and new == "":
            at = match.end()
        elif new != token:
            parts += [text[at : match.start()], new]
            at = match.end()
        level -= token in _CLOSING
    return "".join([*parts, text[at:]]).encode()


def is_too_deep(body: bytes | bytearray) -> bool:
    """Tell whether values of a JSON text are nested deeper than `MAX_READ_DEPTH`."""
    level = 0
    for match in _NESTING.finditer(body):
        token = match.group()
        level += (token in (b"[", b"{")) - (token in (b"]", b"}"))
        if level > MAX_READ_DEPTH:
            return True
    return False


def _mend_token(token: str) -> str:
    if token.startswith('"'):
        return _ESCAPE.sub(_mend_escape, token)
    # A run of small numbers is part of a mask: one token, because there may be millions.
    return token if token in _OPENING + _CLOSING or token.rstrip().endswith(",") else "null"


def _mend_escape(match: re.Match[str]) -> str:
    if match["control"]:
        return " "
    return _REPLACEMENT_ESCAPE if match["half"] or match["none"] else match.group()
