"""Every command of the README and the documentation runs, or the page says why it is not run.

CONTRIBUTING.md has the convention.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from typer.core import TyperGroup
from typer.main import get_command

from ris.cli import root_app

pytestmark = pytest.mark.program

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
NOT_RUN = re.compile(r"<!-- not run: \S.* -->\s*")
HIDDEN = re.compile(r"^\s*(\$ |ris |make |docker |pip |```)", re.MULTILINE)
COMMAND = re.compile(r"(?:^|&& |; |\w=\S+ |backend )(ris .*)")  # by itself, or in a container
END_OF_COMMAND = {"&&", "||", "|", ";", "&", ">", "2>"}
NOWHERE = "http://127.0.0.1:9"  # nothing listens there
MOST_S = 120


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its title, its text, and whether it is run."""

    language: str
    title: str
    text: str
    is_run: bool


def to_name(page: Path) -> str:
    """Name a page as people do."""
    return str(page.relative_to(ROOT))


def read_blocks(page: Path) -> list[Block]:
    """Read the fenced blocks of a page, in order."""
    blocks, before = [], ""
    for token in MarkdownIt().parse(page.read_text()):
        if token.type == "fence":
            language, _, rest = token.info.strip().partition(" ")
            title = re.search(r'title="([^"]+)"', rest)
            marked = bool(NOT_RUN.fullmatch(before))
            blocks.append(Block(language, title[1] if title else "", token.content, not marked))
        before = token.content if token.type == "html_block" else ""
    return blocks


def read_script(page: Path) -> str:
    """Read what of a page is run, as one script."""
    return "".join(one.text for one in read_blocks(page) if one.language == "bash" and one.is_run)


def read_ris_commands(page: Path) -> list[str]:
    """Read every command line of ours: in blocks, run or not, and in the text."""
    blocks = [one.text for one in read_blocks(page) if one.language == "bash"]
    lines = [line for text in blocks for line in text.replace("\\\n", " ").splitlines()]
    lines += [
        child.content
        for token in MarkdownIt("commonmark").enable("table").parse(page.read_text())
        for child in token.children or ()
        if child.type == "code_inline"
    ]
    return [command[1] for line in lines if (command := COMMAND.search(line))]


def find_fault(line: str) -> str:
    """Say what of a command line is not ours: an unknown command or option; "" where nothing is."""
    command = get_command(root_app)
    for word in shlex.split(line, comments=True)[1:]:
        if word in END_OF_COMMAND or word == "...":
            break
        if word.startswith("--"):
            known = {name for each in command.params for name in each.opts + each.secondary_opts}
            if word.partition("=")[0] not in known | {"--help"}:
                return f"{line!r}: `{command.name}` has no option {word}"
        elif isinstance(command, TyperGroup):
            if (found := command.get_command(None, word)) is None:
                return f"{line!r}: `{command.name}` has no command {word}"
            command = found
    return ""


@pytest.mark.parametrize("page", [page for page in PAGES if read_script(page)], ids=to_name)
def test_the_commands_of_a_page_run_one_after_another(page, tmp_path):
    files = ROOT / "docs" / "files" / page.stem
    if files.is_dir():
        shutil.copytree(files, tmp_path, dirs_exist_ok=True)
    for block in read_blocks(page):
        if block.title:
            (tmp_path / block.title).write_text(block.text)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("RIS_")}
    ours = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
        **dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), NOWHERE),
    }

    ran = subprocess.run(
        ["bash", "-euxo", "pipefail", "-c", read_script(page)],
        cwd=tmp_path, env=clean | ours, capture_output=True, text=True, timeout=MOST_S,
    )  # fmt: skip

    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"


@pytest.mark.parametrize("page", PAGES, ids=to_name)
def test_every_command_and_option_on_a_page_exists(page):
    assert [fault for line in read_ris_commands(page) if (fault := find_fault(line))] == []


@pytest.mark.parametrize("page", PAGES, ids=to_name)
def test_every_block_has_a_language_and_no_command_hides_in_an_indented_one(page):
    assert [one.text for one in read_blocks(page) if not one.language] == []
    tokens = MarkdownIt().parse(page.read_text())
    assert [one.content for one in tokens if one.type == "code_block" and HIDDEN.search(one.content)] == []
