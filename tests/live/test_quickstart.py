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


def test_a_folder_and_a_table_become_a_project_with_predictions(studio, tmp_path):
    (tmp_path / "images").mkdir()
    lines = ["image,expression"]
    for number, sample in enumerate(make_samples(2)):
        (tmp_path / "images" / f"{number}.png").write_bytes(sample.png)
        lines.append(f'{number}.png,"{sample.expression}"')
    (tmp_path / "expressions.csv").write_text("\n".join(lines) + "\n")
    log = tmp_path / "out.txt"
    with log.open("wb") as output:
        ran = subprocess.Popen(
            [
                sys.executable, "-m", "ris", "quickstart", "--images", "images",
                "--expressions", "expressions.csv", "--url", studio.url, "--key", DEMO_TOKEN,
            ],
            cwd=tmp_path, env=os.environ, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
    deadline = time.monotonic() + 300
    while not (shown := re.search(r"^open (\S+/projects/(\d+)/data)$", log.read_text(), re.MULTILINE)):
        assert ran.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.2)
    ran.send_signal(signal.SIGINT)

    assert ran.wait(timeout=60) == 0
    client = LabelStudioClient(studio.url, DEMO_TOKEN, timeout_s=30)
    tasks = client.call("GET", "/api/tasks", project=int(shown[2]), fields="all")["tasks"]
    assert [len(task["predictions"]) for task in tasks] == [1, 1]
