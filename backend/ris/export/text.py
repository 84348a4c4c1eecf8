"""Write JSON that every reader parses correctly, whatever characters the texts contain."""

import json
import re
from pathlib import Path
from typing import Any

# These are valid in JSON strings, but readers that split text into lines break at the first three, and UTF-8
# cannot encode lone surrogates. They occur only inside strings, so they can be escaped.
UNSAFE_CHARACTERS = re.compile("[\x85\u2028\u2029\ud800-\udfff]")


def to_json(content: Any, *, indent: int | None = None) -> str:
    """Convert to JSON; `UNSAFE_CHARACTERS` are escaped, other non-ASCII characters are not."""
    text = json.dumps(content, indent=indent, ensure_ascii=False)
    return UNSAFE_CHARACTERS.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def write_json(content: Any, path: Path, *, indent: int | None = None) -> None:
    """Write one JSON file; missing folders are created."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(to_json(content, indent=indent) + "\n", encoding="utf-8", newline="\n")


def write_lines(contents: list[Any], path: Path) -> None:
    """Write one JSON Lines file; missing folders are created."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [to_json(content) + "\n" for content in contents]
    path.write_text("".join(lines), encoding="utf-8", newline="\n")


def to_yaml_string(text: str) -> str:
    """Convert a text to a double-quoted YAML string; special and unprintable characters are escaped."""
    return '"' + "".join(_escape(c) for c in text) + '"'


def _escape(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code < 2**16 else f"\\U{code:08x}"
