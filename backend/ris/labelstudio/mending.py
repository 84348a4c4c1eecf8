"""JSON that a strict reader refuses over single values, mended in those values alone.

Label Studio keeps, and hands on, what browsers, importers and other programs gave it: half an emoji, NaN,
numbers that no computer has, structures without end. One such value must not cost a request its other tasks.
"""

import re

DEEPEST = 100  # levels; what lies below is left out
TOKEN = re.compile(
    r'"(?:[^"\\]|\\.)*+(?:"|\Z)|[][{}]|(?:\d{1,3},\s?){20,}+|-?(?:NaN|Infinity)'
    r"|-?\d[\d.]*+[eE][+-]?\d{3,}|-?\d[\d.]{299,}+(?:[eE][+-]?\d+)?",
    re.DOTALL,
)
ESCAPE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a pair
    r"|(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
    r'|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})'
    r"|(?P<none>\\.)"
    r"|(?P<control>[\x00-\x1f])",
    re.DOTALL,
)
OPENING, CLOSING = ("[", "{"), ("]", "}")
REPLACEMENT = r"\ufffd"


def mend_json(body: bytes | bytearray | memoryview) -> bytes:
    """The same JSON without what some readers refuse; malformed JSON stays malformed.

    * Half of a surrogate pair, an escape that there is none of, and bytes that are no UTF-8 become U+FFFD;
      a control character inside of a text becomes a space.
    * NaN, Infinity and numbers out of range become null.
    * What lies deeper than `DEEPEST` levels becomes null.
    """
    text = bytes(body).decode("utf-8", "replace").removeprefix("\ufeff")
    parts: list[str] = []
    at, level = 0, 0
    for match in TOKEN.finditer(text):
        token = match.group()
        level += token in OPENING
        new = _mend_token(token) if level <= DEEPEST else ""
        if level == DEEPEST + 1 and token in OPENING:
            new = "null"
        if level > DEEPEST and new == "":
            at = match.end()
        elif new != token:
            parts += [text[at : match.start()], new]
            at = match.end()
        level -= token in CLOSING
    return "".join([*parts, text[at:]]).encode()


def _mend_token(token: str) -> str:
    if token.startswith('"'):
        return ESCAPE.sub(_mend_letter, token)
    # A run of small numbers is part of a mask: taken as one, because there may be millions.
    return token if token in OPENING + CLOSING or token.rstrip().endswith(",") else "null"


def _mend_letter(match: re.Match[str]) -> str:
    if match["control"]:
        return " "
    return REPLACEMENT if match["half"] or match["none"] else match.group()
