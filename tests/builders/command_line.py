"""Run `ris` as a user would."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def ris(*arguments, folder, **env):
    """Run `python -m ris` as a user would."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("RIS_")}
    return subprocess.run(
        [sys.executable, "-m", "ris", *arguments],
        cwd=folder, env=clean | {"PYTHONPATH": str(ROOT / "backend"), "OMP_NUM_THREADS": "1"} | env,
        capture_output=True, text=True, timeout=240,
    )  # fmt: skip


def assert_one_sentence(ran, pattern):
    """Assert exit code 1 and a one-line error with our name, without a traceback."""
    lines = [line for line in ran.stderr.splitlines() if line.strip()]
    assert ran.returncode == 1
    assert len(lines) == 1, ran.stderr
    assert re.match(f"ris: .*{pattern}", lines[0]), lines[0]
