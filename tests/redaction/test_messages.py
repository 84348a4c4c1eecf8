"""Messages that are safe to show."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ris.redaction.messages import (
    describe_error,
    escape_controls,
    escape_controls_in_lines,
    format_traceback,
    shorten_message,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb", r"a\nb"), ("a\r\nb", r"a\r\nb"), ("\x1b[31m", r"\x1b[31m"), ("\x9b2J", r"\x9b2J"),
        ("a\u2028b\u2029c", r"a\u2028b\u2029c"), ("\u202egnp", r"\u202egnp"),
        ("\u2066x\u2069", r"\u2066x\u2069"),
        ("\ud83d", r"\ud83d"), ("\x00", r"\x00"),
        ("caf\u00e9 \u4e2d \U0001f600", "caf\u00e9 \u4e2d \U0001f600"),
    ],
)  # fmt: skip
def test_a_control_character_is_escaped_and_other_characters_stay(text, shown):
    assert escape_controls(text) == shown


@given(st.text())
def test_an_escaped_text_is_one_printable_line(text):
    shown = escape_controls(text)

    assert len(shown.splitlines()) <= 1
    assert escape_controls(shown) == shown
    assert escape_controls_in_lines("\n\t" + text).startswith("\n\t")


def test_an_error_is_its_first_line_redacted_and_cut():
    assert describe_error(ValueError("bad http://u:p@h\nDETAIL: body")) == "bad http://***@h"
    assert describe_error(ValueError()) == "ValueError"
    assert describe_error(ValueError("\x1b[2J x")) == r"\x1b[2J x"
    assert len(describe_error(ValueError("x" * 1000))) == 300


def test_a_secret_that_the_cut_meets_is_not_shown_in_part():
    assert "abcdefgh" not in shorten_message("x" * 280 + " https://user:abcdefghijk@host/a")


def test_a_traceback_shows_the_causes_without_what_they_quote():
    message = "first http://u:p4ss@h\n" + "".join(("DE", "TAIL: row (a, b)"))
    try:
        try:
            raise ValueError(message)
        except ValueError as error:
            raise RuntimeError("second\x1b[2J") from error
    except RuntimeError as error:
        text = format_traceback(error)

    assert "ValueError: first http://***@h\nwhich led to:\n" in text
    assert text.endswith(r"RuntimeError: second\x1b[2J")
    assert "DETAIL" not in text
