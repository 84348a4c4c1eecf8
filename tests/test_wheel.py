"""What is released: the wheel, as somebody has it who never saw the source."""

import ast
import email
import os
import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import ris
from scripts.build_wheel import build_wheel
from tests.live.support.process import ServerProcess, find_free_port

ROOT = Path(__file__).parents[1]
SOURCES = {"backend/ris": "ris", "label_config": "ris/label_config", "migrations": "ris/migrations"}


installed = pytest.mark.wheel  # installs the wheel and starts the program, which takes seconds


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return build_wheel(ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def metadata(wheel):
    with zipfile.ZipFile(wheel) as file:
        (name,) = (name for name in file.namelist() if name.endswith(".dist-info/METADATA"))
        return email.message_from_bytes(file.read(name))


@pytest.fixture(scope="module")
def elsewhere(wheel, tmp_path_factory):
    """A folder of another project, which has its own `migrations` and `label_config`.

    Its environment has the wheel and our dependencies, not our source.
    """
    folder = tmp_path_factory.mktemp("elsewhere")
    for name in ("migrations", "label_config"):
        (folder / name).mkdir()
        for module in ("__init__.py", "env.py"):
            (folder / name / module).write_text("raise RuntimeError('this is the other project')\n")
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    python = folder / "venv" / "bin" / "python"
    command = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "install",
        "--quiet",
        "--no-index",
        "--no-deps",
    ]
    subprocess.run([*command, "--disable-pip-version-check", wheel], check=True)
    site = sysconfig.get_path("purelib", "venv", vars={"base": str(folder / "venv")})
    # Python does not read the .pth files, such as our editable install, of a folder that a .pth file names.
    dependencies = [path for path in sys.path if Path(path).name == "site-packages"]
    Path(site, "dependencies.pth").write_text("\n".join(dependencies) + "\n")
    return folder


@pytest.fixture(scope="module")
def run(elsewhere):
    """Run a program of the environment in the folder, with the decoys first on Python's path."""

    def run(program, *arguments):
        ran = subprocess.run(
            [elsewhere / "venv" / "bin" / program, *arguments],
            cwd=elsewhere, env=environment(elsewhere), capture_output=True, text=True,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    return run


def environment(folder):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RIS_", "PYTHON"))}
    return kept | {"PYTHONPATH": str(folder), "RIS_DATABASE_URL": "sqlite:///ris.db"}


def test_the_wheel_holds_every_file_of_the_package_and_nothing_else(wheel):
    expected = {
        "/".join([installed, path.relative_to(ROOT / source).as_posix()])
        for source, installed in SOURCES.items()
        for path in (ROOT / source).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    with zipfile.ZipFile(wheel) as file:
        names = {name for name in file.namelist() if ".dist-info/" not in name}

    assert names == expected


def test_two_builds_of_one_source_are_the_same_bytes(wheel, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert build_wheel(ROOT, tmp_path).read_bytes() == wheel.read_bytes()


def test_the_wheel_has_the_version_of_the_package(metadata):
    assert metadata["Version"] == ris.__version__


def test_the_wheel_names_all_licences_and_brings_their_texts(wheel, metadata):
    first_lines = {
        "LICENSE": "Apache License",
        "NOTICE": "referring-segmentation-backend",
        "backend/ris/pretrained/tiny/CC-BY-SA-4.0.txt": "Attribution-ShareAlike 4.0 International",
        "backend/ris/tinyworld/OFL.txt": "Copyright 2013-2017 Google Inc. (Noto Color Emoji,",
    }

    assert metadata["License-Expression"] == "Apache-2.0 AND CC-BY-SA-4.0 AND OFL-1.1"
    assert metadata.get_all("License-File") == list(first_lines)
    with zipfile.ZipFile(wheel) as file:
        for name, line in first_lines.items():
            (path,) = (path for path in file.namelist() if path.endswith(f".dist-info/licenses/{name}"))
            assert file.read(path).decode().lstrip().startswith(line)


def test_type_checkers_read_the_types_of_the_package(wheel):
    with zipfile.ZipFile(wheel) as file:
        assert file.read("ris/py.typed") == b""


def test_every_library_that_the_package_imports_is_a_dependency(metadata):
    """The test environment has more than the package asks for, and would hide a missing one."""
    declared = {
        normalise_name(re.match(r"[\w.-]+", line)[0])
        for line in metadata.get_all("Requires-Dist")
        if not re.search(r"extra == .(test|docs)\b", line)
    }
    distributions = packages_distributions()

    undeclared = {
        name
        for name in find_imports_of_the_package()
        if not declared & {normalise_name(found) for found in distributions.get(name, [])}
    }

    assert undeclared == set()


def test_every_dependency_outside_the_extras_is_imported_by_the_package(metadata):
    declared = {
        normalise_name(re.match(r"[\w.-]+", line)[0])
        for line in metadata.get_all("Requires-Dist")
        if "extra ==" not in line
    }
    distributions = packages_distributions()
    used = {
        normalise_name(found)
        for name in find_imports_of_the_package()
        for found in distributions.get(name, [])
    }

    assert declared - used == set()


def test_the_extra_all_holds_every_extra_of_a_user(metadata):
    extras = {*metadata.get_all("Provides-Extra")} - {"all", "docs", "test"}
    (line,) = [line for line in metadata.get_all("Requires-Dist") if line.endswith('extra == "all"')]

    assert {*re.search(r"\[(.*)\]", line)[1].split(",")} == extras


def find_imports_of_the_package():
    """The top-level names of the libraries that the package imports, anywhere in it."""
    return {
        name
        for source in SOURCES
        for path in (ROOT / source).rglob("*.py")
        for name in find_imports(path)
        if name not in {"ris", *sys.stdlib_module_names}
    }


def normalise_name(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def find_imports(path):
    """The top-level names that a module imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name.split(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module.split(".")[0]


@installed
def test_the_installed_package_is_the_one_that_runs(run, elsewhere):
    said = run("python", "-c", "import ris, ris.migrations; print(ris.__file__, ris.migrations.__file__)")

    assert [Path(path).is_relative_to(elsewhere / "venv") for path in said.split()] == [True, True]


@installed
def test_the_database_is_made_by_our_migrations_beside_another_projects(run, elsewhere):
    run("ris", "db", "upgrade")

    assert (elsewhere / "ris.db").stat().st_size > 0


@installed
def test_suggestions_are_made_and_drawn(run, elsewhere):
    picture = np.full((48, 64, 3), 255, np.uint8)
    picture[12:36, 8:32] = (200, 30, 30)
    Image.fromarray(picture).save(elsewhere / "picture.png")

    said = run("ris", "suggest", "picture.png", "the red square")

    assert "tiny" in said
    with Image.open(elsewhere / "suggestions.png") as drawn:
        assert drawn.size[0] > 64


@installed
def test_the_server_becomes_ready(elsewhere):
    port = find_free_port()
    server = ServerProcess(
        "ris serve",
        [str(elsewhere / "venv" / "bin" / "ris"), "serve", "--upgrade", "--port", str(port)],
        env=environment(elsewhere),
        health_url=f"http://127.0.0.1:{port}/health/ready",
        log=elsewhere / "server.log",
        folder=elsewhere,
    )
    try:
        server.start(timeout_s=120)
    finally:
        server.stop()
