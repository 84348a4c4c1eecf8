"""The generated pages of the documentation are those of today's code."""

import importlib.util
from pathlib import Path

import pytest

from ris.config import Settings

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def generate():
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_of_commands_is_that_of_the_code(generate):
    assert (DOCS / "cli.md").read_text() == generate.make_cli_page(), "run `make docs` and commit docs/cli.md"


def test_the_page_of_settings_is_that_of_the_code(generate):
    page = (DOCS / "settings.md").read_text()

    assert page == generate.make_settings_page(), "run `make docs` and commit docs/settings.md"


def test_every_setting_is_described(generate):
    described = [name for names, _ in generate.read_descriptions(Settings.__doc__) for name in names]

    assert sorted(described) == sorted(Settings.model_fields)
