"""JSON that every reader takes apart as it was written, whatever characters the words have."""

import json
import re
from pathlib import Path
from typing import Any

# JSON may hold them as they are, but readers that split a text into lines break at the first three, and a
# half of a surrogate pair is no UTF-8. All of them stand inside of strings only.
UNSAFE_CHARACTERS = re.compile("[\x85\u2028\u2029\ud800-\udfff]")


def to_json(content: Any, *, indent: int | None = None) -> str:
    """JSON without characters that break lines; everything else as it is written."""
    text = json.dumps(content, indent=indent, ensure_ascii=False)
    return UNSAFE_CHARACTERS.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def write_json(content: Any, path: Path, *, indent: int | None = None) -> None:
    """One JSON file; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(to_json(content, indent=indent) + "\n", encoding="utf-8", newline="\n")


def write_lines(contents: list[Any], path: Path) -> None:
    """One JSON Lines file; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [to_json(content) + "\n" for content in contents]
    path.write_text("".join(lines), encoding="utf-8", newline="\n")


def to_yaml_string(words: str) -> str:
    """Words as YAML's double-quoted string: what is not printable or has a meaning there is escaped."""
    return '"' + "".join(_escape(c) for c in words) + '"'


def _escape(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code < 2**16 else f"\\U{code:08x}"
