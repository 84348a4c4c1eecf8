"""The documentation builds without a warning, and the site loads nothing from another host."""

import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOADED = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src", "object": "data"}


class _Addresses(HTMLParser):
    """Collects the addresses that a browser loads by itself when it shows a page."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        address = dict(attrs).get(LOADED.get(tag))
        if address:
            self.found.append(address)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    ran = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return folder


def test_the_site_loads_nothing_from_another_host(site):
    pages = sorted(site.rglob("*.html"))
    assert (site / "index.html") in pages
    for page in pages:
        addresses = _Addresses()
        addresses.feed(page.read_text())
        assert [one for one in addresses.found if one.startswith(("http:", "https:", "//"))] == [], page.name


def test_no_style_loads_a_font_or_a_picture_from_another_host(site):
    for style in site.rglob("*.css"):
        assert "url(http" not in style.read_text() and "url(//" not in style.read_text()
