"""Commands that run in this process print to one console, which measures the terminal when it is made."""

import pytest

from ris.cli.console import console


@pytest.fixture(autouse=True)
def wide_console(monkeypatch):
    """The same width for every test, whichever ran first."""
    monkeypatch.setattr(console, "width", 300)


@pytest.fixture(autouse=True)
def plain_output():
    """What a command chose for its output must not reach the next test."""
    yield
    console.start_output(as_json=False, is_quiet=False)
