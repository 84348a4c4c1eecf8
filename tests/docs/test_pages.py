"""What pages say about files is so."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NEAR = ("README.md", "CONTRIBUTING.md", "label_config/README.md")
PAGES = [*(ROOT / name for name in NEAR), *sorted((ROOT / "docs").rglob("*.md"))]
FOLDERS = "adapter|backend|benchmarks|docs|label_config|migrations|tests|training"
NAMED = re.compile(rf"(?:python |`)((?:{FOLDERS})/[\w./-]*\w)")
LINKED = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_that_a_page_names_or_links_to_is_there(page):
    text = page.read_text()
    missing = [name for name in NAMED.findall(text) if not (ROOT / name).exists()]
    broken = [link for link in LINKED.findall(text) if not (page.parent / link).exists()]

    assert (missing, broken) == ([], [])
