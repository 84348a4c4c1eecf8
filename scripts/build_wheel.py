"""Build the wheel from the source alone: without a network, and with the same bytes every time.

    python -m scripts.build_wheel DIST

setuptools puts what an earlier build left in `build/` into the next wheel, and gives each file the time of
its source. So the source is copied to an empty folder first, and all files have one fixed time.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SOURCES = ("pyproject.toml", "README.md", "LICENSE", "NOTICE", "backend", "label_config", "migrations")
EARLIEST = "315532800"  # 1980-01-01, the first time that a zip file can hold, in seconds since 1970


def build_wheel(root: Path, folder: Path) -> Path:
    """Build the package of the checkout `root` into `folder`.

    Needs the setuptools that pyproject.toml names, installed beside this Python.

    Returns:
        The path of the wheel.

    Raises:
        subprocess.CalledProcessError: pip failed; its messages were printed.
    """
    with tempfile.TemporaryDirectory() as work:
        source, built = Path(work) / "source", Path(work) / "built"
        source.mkdir()
        for name in SOURCES:
            if (root / name).is_dir():
                shutil.copytree(
                    root / name, source / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info")
                )
            else:
                shutil.copyfile(root / name, source / name)
        command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
        command += ["--no-index", "--no-deps", "--no-build-isolation", "--wheel-dir", str(built), str(source)]
        subprocess.run(command, env=os.environ | {"SOURCE_DATE_EPOCH": EARLIEST}, cwd=work, check=True)
        (wheel,) = built.glob("*.whl")
        folder.mkdir(parents=True, exist_ok=True)
        return Path(shutil.copy(wheel, folder))


if __name__ == "__main__":
    print(build_wheel(Path(__file__).parents[1], Path(sys.argv[1])))
