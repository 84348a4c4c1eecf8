"""Clean-up of a describer's answers."""

import re
import unicodedata

_MARKUP = re.compile(r"<[^<>]{0,100}>|```[a-z]*|[*_#`~|>]+|!?\[|\]\([^)]*\)")
_LABEL = re.compile(r"^\s*(caption|answer|description|output)\s*:\s*", re.IGNORECASE)


def clean_description(description: str) -> str:
    """Reduce a description to one line of plain English words; "" when there is none.

    Markup, quotes, a leading "Caption:" and all lines but the first are removed. A text that is not mostly in
    Latin letters becomes "", because CLIP does not know it. Long texts are left to the text network, which
    truncates after 77 tokens.
    """
    text = _MARKUP.sub(" ", description)
    text = next((line for line in text.splitlines() if line.strip()), "")
    text = " ".join(_LABEL.sub("", text).strip(" \t\"'“”").split())
    letters = [c for c in text if c.isalpha()]
    latin = [c for c in letters if "LATIN" in unicodedata.name(c, "")]
    return text if letters and 2 * len(latin) > len(letters) else ""
