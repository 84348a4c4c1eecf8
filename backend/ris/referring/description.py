"""What a describer said, as plain words."""

import re
import unicodedata

_MARKUP = re.compile(r"<[^<>]{0,100}>|```[a-z]*|[*_#`~|>]+|!?\[|\]\([^)]*\)")
_LABEL = re.compile(r"^\s*(caption|answer|description|output)\s*:\s*", re.IGNORECASE)


def clean_description(description: str) -> str:
    """A description as one line of plain English words; "" when there is none in it.

    Markup, quotes, a leading "Caption:" and all but the first paragraph go. What is not mostly in Latin
    letters would only be noise to CLIP. Length is left to the text network, which cuts after 77 tokens.
    """
    text = _MARKUP.sub(" ", description)
    text = next((line for line in text.splitlines() if line.strip()), "")
    text = " ".join(_LABEL.sub("", text).strip(" \t\"'“”").split())
    letters = [c for c in text if c.isalpha()]
    latin = [c for c in letters if "LATIN" in unicodedata.name(c, "")]
    return text if letters and 2 * len(latin) > len(letters) else ""
