"""The house stands as it was drawn."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BACKEND = ROOT / "backend" / "ris"

# Only names and joins: what is in them is tested through what they join.
WITHOUT_A_TEST_FILE = {
    "__main__.py", "errors.py", "wsgi.py", "cli", "referring/protocols.py",
    "labelstudio/api/protocol.py", "core/decision.py", "doctor/check.py", "store/schema.py", "web/metrics.py",
    "web/handlers.py", "pretrained/masks/settings.py",
    "export/coco.py", "export/jsonl.py", "export/formats.py", "export/run.py",
    "evaluation/tinyworld/tables.py",
}  # fmt: skip


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


def test_there_is_no_attic():
    assert [p for p in ROOT.glob("*/**/util*.py") if ".venv" not in p.as_posix()] == []


def test_no_test_imports_another_test_file():
    """What several tests build is in `tests/builders`, what they are given in a `conftest.py`."""
    pattern = re.compile(r"^\s*(from|import) tests\.\S*\b(test_\w+|conftest)\b", re.MULTILINE)

    assert [p for p in ROOT.glob("tests/**/*.py") if pattern.search(p.read_text(encoding="utf-8"))] == []
