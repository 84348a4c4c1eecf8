"""Architecture rules."""

import ast
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BACKEND = ROOT / "backend" / "ris"

# Only names and joins: what is in them is tested through what they join.
WITHOUT_A_TEST_FILE = {
    "__main__.py", "errors.py", "wsgi.py", "cli", "referring/protocols.py",
    "labelstudio/api/protocol.py", "core/decision.py", "doctor/check.py", "store/schema.py", "web/metrics.py",
    "web/handlers.py", "pretrained/masks/settings.py",
    "export/coco.py", "export/jsonl.py", "export/formats.py",
    "evaluation/tinyworld/tables.py",
}  # fmt: skip


SHARED_NAMES = {
    "log": "every module's logger",
    "main": "what runs when a module is started as a program",
}


def test_imports_point_down_and_each_library_stays_in_its_folder():
    program = Path(sys.executable).parent / "lint-imports"

    ran = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True)

    assert ran.returncode == 0, ran.stdout


@pytest.mark.parametrize("module", ["ris.core.types", "ris.service", "ris.wsgi", "ris.cli"])
def test_no_network_library_is_loaded_before_a_model_is(module):
    """The server must answer /health within seconds, and importing torch alone takes longer."""
    code = (
        f"import sys, {module}; print(*{{'torch', 'spacy', 'open_clip', 'transformers'}} & {{*sys.modules}})"
    )

    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert ran.stdout.strip() == ""


def test_every_module_has_its_test_file():
    tested = {
        p.relative_to(ROOT / "tests").parent / p.name.removeprefix("test_")
        for p in ROOT.glob("tests/**/test_*.py")
    }
    missing = []
    for path in sorted(BACKEND.rglob("*.py")):
        relative = path.relative_to(BACKEND)
        known = {relative.as_posix(), *(p.as_posix() for p in relative.parents)}
        if path.name != "__init__.py" and not known & WITHOUT_A_TEST_FILE and relative not in tested:
            missing.append(relative.as_posix())

    assert missing == []


def find_public_names(path):
    """The public names that a module defines at its top level, overloads once."""
    names = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {e.id for target in node.targets for e in ast.walk(target) if isinstance(e, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return {name for name in names if not name.startswith("_")}


def test_a_public_name_means_one_thing_in_the_whole_project():
    places = defaultdict(list)
    for top in ("backend/ris", "training", "adapter", "benchmarks", "label_config", "migrations"):
        for path in (ROOT / top).rglob("*.py"):
            if "versions" not in path.parts:  # Alembic wants the same names in every revision
                for name in find_public_names(path):
                    places[name].append(path.relative_to(ROOT).as_posix())

    repeated = {name: found for name, found in places.items() if len(found) > 1}

    assert {name: found for name, found in repeated.items() if name not in SHARED_NAMES} == {}


def test_answers_of_label_studio_are_read_in_one_package():
    """Elsewhere, what a call returns is thrown away, or goes through `check_answer` at once."""
    raw = re.compile(r"(?<!check_answer\()\b(api|client)\.call\(\s*\"(GET|POST)\"")
    places = [p for p in (ROOT / "backend/ris").rglob("*.py") if p.parent.name != "api"]

    assert [p.name for p in places if raw.search(p.read_text(encoding="utf-8"))] == []


def test_there_is_no_module_of_utilities():
    assert [p for p in ROOT.glob("*/**/util*.py") if ".venv" not in p.as_posix()] == []


def test_no_test_imports_another_test_file():
    """What several tests build is in `tests/builders`, what they are given in a `conftest.py`."""
    pattern = re.compile(r"^\s*(from|import) tests\.\S*\b(test_\w+|conftest)\b", re.MULTILINE)

    assert [p for p in ROOT.glob("tests/**/*.py") if pattern.search(p.read_text(encoding="utf-8"))] == []


def test_images_are_opened_in_one_place():
    """Limits, broken metadata and memory are handled there; `sprites` opens drawings of the package."""
    opening = re.compile(r"\b(Pillow|Image)\.open\(|\bimread\(|\bimdecode\(|\bread_image\(")
    places = {
        p.relative_to(BACKEND).as_posix() for p in BACKEND.rglob("*.py") if opening.search(p.read_text())
    }

    assert places == {"labelstudio/images/decoding.py", "tinyworld/sprites.py"}
