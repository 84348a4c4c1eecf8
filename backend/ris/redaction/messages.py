"""Make messages that are safe to show: one line, without secrets and without control characters."""

import re
import traceback
from collections.abc import Iterator

from ris.redaction.text import redact_text

_MAX_ERROR_CHARACTERS = 300
_MAX_CAUSES = 10
# C0 and C1 control characters, line separators, marks that change the direction of text, and lone surrogates.
_CONTROLS = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)
_CONTROLS_BUT_LINES = re.compile(f"(?![\n\t]){_CONTROLS.pattern}")
_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def escape_controls(text: str) -> str:
    r"""Escape the characters that forge lines or command a terminal, such as a newline to "\n"."""
    return _CONTROLS.sub(_escape, text)


def escape_controls_in_lines(text: str) -> str:
    """Escape control characters, but keep line feeds and tabs."""
    return _CONTROLS_BUT_LINES.sub(_escape, text)


def describe_error(error: BaseException) -> str:
    """Return the first line of an error's message: at most 300 characters, redacted and escaped.

    Messages of libraries quote their input. Without a message it is the name of the error's class.
    """
    lines = (line.strip() for line in str(error).splitlines())
    first = next((line for line in lines if line), type(error).__name__)
    return shorten_message(first)


def shorten_message(text: str) -> str:
    """Return a message on one line: at most 300 characters, redacted and escaped."""
    # Redacted before it is cut: a half of a secret may have no form that is known.
    line = escape_controls(redact_text(" ".join(text[: 40 * _MAX_ERROR_CHARACTERS].split())))
    return line if len(line) <= _MAX_ERROR_CHARACTERS else line[: _MAX_ERROR_CHARACTERS - 1] + "\u2026"


def format_traceback(error: BaseException) -> str:
    """Format a traceback with its causes, oldest first. Of each message it holds what `describe_error` says.

    So it shows no SQL, no parameters and no quoted body.
    """
    return "\n".join(_format_chain(error))


def _format_chain(error: BaseException) -> Iterator[str]:
    chain: list[BaseException] = []
    one: BaseException | None = error
    while one is not None and one not in chain and len(chain) < _MAX_CAUSES:
        chain.append(one)
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
    for place, one in enumerate(reversed(chain)):
        if place:
            yield "which led to:"
        if one.__traceback__:
            yield "Traceback (most recent call last):"
            for entry in traceback.format_tb(one.__traceback__):
                yield from map(escape_controls, redact_text(entry).rstrip("\n").split("\n"))
        yield f"{_name_class(one)}: {describe_error(one)}"


def _name_class(error: BaseException) -> str:
    kind = type(error)
    return (
        kind.__qualname__
        if kind.__module__ in ("builtins", "__main__")
        else f"{kind.__module__}.{kind.__qualname__}"
    )


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    code = ord(character)
    if character in _SHORT:
        return _SHORT[character]
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"
