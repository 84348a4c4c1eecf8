"""The worked example of the documentation, with a real Label Studio and every command as it stands there."""

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
BLOCK = re.compile(r"^```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MADE = re.compile(r"are tasks of project (\d+)")
FIRST, NONE = "1st", "no such thing"
ENDINGS = ("corner", "bear", "butterfly", "tent", "cake", "left")


def commands():
    """The page's command blocks in their order, but for the one that holds the reader's own token."""
    blocks = BLOCK.findall((DOCS / "example.md").read_text(encoding="utf-8"))
    return [block for block in blocks if "..." not in block]


def run(block, folder, environment):
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
    return done.stdout


def annotate(client, number):
    """What the page asks of the annotator: the first alternative, and no such thing for the blue cake."""
    for task in client.call("GET", "/api/tasks", project=number, fields="all")["tasks"]:
        (prediction,) = client.call("GET", "/api/predictions/", task=task["id"])
        value = NONE if task["data"]["expression"] == "the blue cake" else FIRST
        choice = {
            "id": "choice", "from_name": "pick", "to_name": "image", "type": "choices",
            "origin": "manual", "value": {"choices": [value]},
        }  # fmt: skip
        answer = {"result": [*prediction["result"], choice], "parent_prediction": prediction["id"]}
        client.call("POST", f"/api/tasks/{task['id']}/annotations/", answer)


def test_the_example_ends_with_the_folder_that_the_page_shows(studio, client, tmp_path):
    shutil.copytree(DOCS / "files" / "example", tmp_path, dirs_exist_ok=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RIS_")}
    environment |= {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "200",
        "RIS_LABEL_STUDIO_URL": studio.url,
        "RIS_LABEL_STUDIO_API_KEY": DEMO_TOKEN,
    }
    number, printed = "", []
    for block in commands():
        if "ris sync" in block:
            annotate(client, number)
        printed.append(run(block.replace("--project 1", f"--project {number}"), tmp_path, environment))
        if made := MADE.search(printed[-1]):
            number = made[1]

    *_, validated, read_back = printed
    assert "the same" in validated
    page = (DOCS / "example.md").read_text(encoding="utf-8")
    # Label Studio puts eight signs of its own choice before a picture's name.
    shown = [line[8:] for line in page.splitlines() if " (2" in line and line.endswith(ENDINGS)]
    assert [line[8:] for line in read_back.splitlines()] == shown
