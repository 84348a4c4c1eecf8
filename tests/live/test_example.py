"""The worked example of the documentation, with a real Label Studio and every command as it stands there."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live.support.studio import DEMO_TOKEN

pytestmark = pytest.mark.live

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"^```(bash|json)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MADE = re.compile(r"as tasks into project (\d+)")
SHOWN = re.compile(
    r"^\w{8}(-\w+-\w+\.png \(\d+, \d+\) .*)$", re.MULTILINE
)  # Label Studio chooses the first eight
CUT = "..."


def read_blocks(page, language):
    """The page's blocks of a language, in order, without the one that holds the reader's own token."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return [block for kind, block in BLOCK.findall(text) if kind == language and "API_KEY=..." not in block]


def annotate(client, number):
    """What the page asks of the annotator: the first alternative, or no object for the blue cake."""
    for task in client.call("GET", "/api/tasks", project=number, fields="all")["tasks"]:
        (prediction,) = client.call("GET", "/api/predictions/", task=task["id"])
        value = "object not in image" if task["data"]["expression"] == "the blue cake" else "1st"
        choice = {
            "id": "choice", "from_name": "pick", "to_name": "image", "type": "choices",
            "origin": "manual", "value": {"choices": [value]},
        }  # fmt: skip
        answer = {
            "result": [*prediction["result"], choice],
            "parent_prediction": prediction["id"],
            "lead_time": 3.5,
        }
        client.call("POST", f"/api/tasks/{task['id']}/annotations/", answer)


@pytest.fixture(scope="module")
def run(studio, tmp_path_factory):
    """Runs a block of commands in the example's folder; what it printed."""
    folder = tmp_path_factory.mktemp("example")
    shutil.copytree(DOCS / "files" / "example", folder, dirs_exist_ok=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RIS_")}
    environment |= {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "200",
        "RIS_LABEL_STUDIO_URL": studio.url,
        "RIS_LABEL_STUDIO_API_KEY": DEMO_TOKEN,
    }

    def run_block(block):
        command = ["bash", "-euo", "pipefail", "-c", block]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
        return done.stdout

    run_block.folder = folder
    return run_block


@pytest.fixture(scope="module")
def printed(run, client):
    """What the page's commands printed, block by block."""
    number, printed = "", []
    for block in read_blocks("example.md", "bash"):
        if "ris sync" in block:
            annotate(client, number)
        printed.append(run(block.replace("--project 1", f"--project {number}")))
        if made := MADE.search(printed[-1]):
            number = made[1]
    return printed


def test_the_example_ends_with_the_masks_that_the_page_shows(printed):
    *_, validated, read_back = printed

    assert "equal" in validated
    assert SHOWN.findall(read_back) == SHOWN.findall((DOCS / "example.md").read_text(encoding="utf-8"))
    assert len(SHOWN.findall(read_back)) == 6


def test_every_example_of_an_exported_file_has_the_keys_of_the_real_file(run, printed):
    run("ris export --out all --images")
    written = [*(read_json(path) for path in run.folder.glob("*/**/*.json"))]
    written += [
        json.loads(line) for path in run.folder.glob("all/*.jsonl") for line in path.open(encoding="utf-8")
    ]
    real = [part for document in written for part in find_parts(document)]

    wrong = []
    for page in sorted((DOCS / "exports").glob("*.md")):
        for block in read_blocks(page, "json"):
            if not any(fits(json.loads(block), part) for part in real):
                wrong.append(f"{page.name}: {block}")

    assert wrong == []


def read_json(path):
    return json.loads(path.read_text(encoding="utf-8"))


def find_parts(document):
    """The document and every list and object in it."""
    yield document
    inside = document.values() if isinstance(document, dict) else document
    for part in inside:
        if isinstance(part, dict | list):
            yield from find_parts(part)


def fits(shown, real):
    """Whether an example has the keys and types of the real thing, but for what is cut with "..."."""
    if isinstance(shown, dict) and isinstance(real, dict):
        keys = shown.keys() - {CUT}
        same = keys <= real.keys() if CUT in shown else keys == real.keys()
        return same and all(fits(shown[key], real[key]) for key in keys)
    if isinstance(shown, list) and isinstance(real, list):
        kept = [one for one in shown if one not in (CUT, [CUT])]
        return len(kept) <= len(real) and all(map(fits, kept, real))
    return type(shown) is type(real)
