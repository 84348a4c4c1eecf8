"""Kinds of expressions, by their words alone. Learned weights and tables are divided by kind."""

import re

_KIND_RULES = (
    ("negation", r"\b(not|no|non|without|isn't|isnt|neither|except)\b"),
    ("ordinal", r"\b(first|second|third|fourth|fifth|last|\d+(st|nd|rd|th))\b"),
    (
        "relation",
        r"\b(next to|near(est)?|beside|behind|in front of|between|under|below|beneath|above|over|holding|"
        r"wearing|with|by the|(left|right|top|bottom|side) of the (?!picture|image|photo|screen|frame))",
    ),
    (
        "position",
        r"\b(left|right|top|bottom|upper|lower|middle|cent(er|re)|corner|leftmost|rightmost|far|front|back)\b",
    ),
    ("size", r"\b(big|large|small|little|tiny|huge|tall|short)(ger|er|gest|est)?\b"),
    (
        "colour",
        r"\b(red|orange|yellow|green|blue|purple|pink|white|black|gr[ae]y|brown|dark|light|golden|silver)\b",
    ),
)

KINDS = (*(name for name, _ in _KIND_RULES), "plain")

_PATTERNS = tuple((name, re.compile(pattern)) for name, pattern in _KIND_RULES)


def find_kind(expression: str) -> str:
    """Find the kind of an expression: the first rule with a word in it, else "plain"."""
    text = expression.lower()
    return next((name for name, pattern in _PATTERNS if pattern.search(text)), "plain")
