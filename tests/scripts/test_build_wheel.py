"""The wheel is built from the source alone; tests/test_wheel.py says what must be in it."""

import shutil
import zipfile
from pathlib import Path

from scripts.build_wheel import SOURCES, build_wheel

ROOT = Path(__file__).parents[2]


def test_what_an_earlier_build_left_is_not_in_the_wheel(tmp_path):
    """setuptools takes everything in build/lib into a wheel that it builds in place."""
    for name in SOURCES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
        copy(ROOT / name, tmp_path / name)
    left = tmp_path / "build" / "lib" / "ris" / "removed.py"
    left.parent.mkdir(parents=True)
    left.touch()

    wheel = build_wheel(tmp_path, tmp_path / "dist")

    assert wheel.parent == tmp_path / "dist"
    with zipfile.ZipFile(wheel) as file:
        assert "ris/removed.py" not in file.namelist()
