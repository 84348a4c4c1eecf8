"""`ris quickstart` in a real Label Studio, as a new user runs it."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest

from ris.labelstudio.api.client import LabelStudioClient
from ris.tinyworld.samples import make_samples
from tests.live.support.studio import DEMO_TOKEN

pytestmark = pytest.mark.live


def run_quickstart(folder, url):
    """Run the command until it prints the address of its project, then stop it; return the number."""
    log = folder / "out.txt"
    with log.open("wb") as output:
        ran = subprocess.Popen(
            [
                sys.executable, "-m", "ris", "quickstart", "--images", "images",
                "--expressions", "expressions.csv", "--url", url, "--key", DEMO_TOKEN,
            ],
            cwd=folder, env=os.environ, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
    deadline = time.monotonic() + 300
    while not (shown := re.search(r"^open (\S+/projects/(\d+)/data)$", log.read_text(), re.MULTILINE)):
        assert ran.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.2)
    ran.send_signal(signal.SIGINT)
    assert ran.wait(timeout=600) == 0
    return int(shown[2])


def test_a_folder_and_a_table_become_a_project_that_a_second_run_continues(studio, tmp_path):
    (tmp_path / "images").mkdir()
    lines = ["image,expression"]
    for number, sample in enumerate(make_samples(3)):
        (tmp_path / "images" / f"{number}.png").write_bytes(sample.png)
        lines.append(f'{number}.png,"{sample.expression}"')
    (tmp_path / "expressions.csv").write_text("\n".join(lines[:3]) + "\n")
    client = LabelStudioClient(studio.url, DEMO_TOKEN, timeout_s=30)

    def count_predictions(project):
        tasks = client.call("GET", "/api/tasks", project=project, fields="all")["tasks"]
        return [len(task["predictions"]) for task in tasks]

    project = run_quickstart(tmp_path, studio.url)
    assert count_predictions(project) == [1, 1]

    (tmp_path / "expressions.csv").write_text("\n".join(lines) + "\n")
    assert run_quickstart(tmp_path, studio.url) == project
    assert count_predictions(project) == [1, 1, 1]
    assert len(client.call("GET", "/api/ml", project=project)) == 1
    assert len(client.call("GET", "/api/webhooks/", project=project)) == 1
